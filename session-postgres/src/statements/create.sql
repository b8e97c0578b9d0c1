-- Creates a session, in place of an expired one with this id if there is one.
-- $1 id, $2 data, $3 user or NULL, $4 idle timeout in ms, $5 lifetime in ms
-- Returns the version, or no row if the id is in use.
INSERT INTO {schema}.session AS old (id, data, version, user_id, created, last_seen, idle_timeout, absolute_end)
SELECT $1, $2::jsonb, 1, $3, clock.now, clock.now, $4, least(clock.now + $5, {last_ms})
FROM (SELECT {now} AS now) AS clock
WHERE NOT EXISTS (SELECT FROM {schema}.marker WHERE marker.id = $1 AND {now} < marker.until)
ON CONFLICT (id) DO UPDATE SET
    data = excluded.data,
    version = excluded.version,
    user_id = excluded.user_id,
    created = excluded.created,
    last_seen = excluded.last_seen,
    idle_timeout = excluded.idle_timeout,
    absolute_end = excluded.absolute_end
WHERE old.expires <= excluded.created
RETURNING version
