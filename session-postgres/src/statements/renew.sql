-- Gives a session a new id, leaves a marker at the old one, makes a renewal's changes, and tells all instances: a login
-- is the end of the session before.
-- $1 old id, $2 new id, $3 keys to set, $4 keys to remove, $5 user or NULL, $6 whether it is a login, $7 a login's idle
-- timeout in ms, $8 a login's lifetime in ms, $9 the largest size allowed
-- Returns outcome ('done', 'ended', 'in use', 'too large'), version and size, or no row if there is no such session.
--
-- The row itself gets the new id: a copy would lose what a request in flight writes to the old one. It is locked first;
-- update.sql says why.
WITH locked AS MATERIALIZED (
    SELECT data, version, user_id, created, idle_timeout, absolute_end, expires
    FROM {schema}.session
    WHERE id = $1 AND jsonb_typeof(data) = 'object'
    FOR UPDATE
), merged AS MATERIALIZED (
    SELECT
        -- Of one user's data nothing goes over to another.
        CASE WHEN $6 AND user_id IS NOT NULL AND user_id IS DISTINCT FROM $5
            THEN $3::jsonb
            ELSE data || $3::jsonb
        END - $4::text[] AS data,
        version + 1 AS version,
        user_id,
        created,
        idle_timeout,
        absolute_end,
        expires,
        {now} AS now
    FROM locked
), judged AS MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN now >= expires THEN 'ended'
            WHEN NOT $6 AND user_id IS DISTINCT FROM $5 THEN 'ended'
            WHEN EXISTS (SELECT FROM {schema}.session AS other WHERE other.id = $2 AND merged.now < other.expires)
                OR EXISTS (SELECT FROM {schema}.marker AS other WHERE other.id = $2 AND merged.now < other.until)
                THEN 'in use'
            WHEN size > $9 THEN 'too large'
            ELSE 'done'
        END AS outcome
    FROM merged, LATERAL (
        SELECT coalesce(sum(octet_length(key) + octet_length(value)), 0) AS size FROM jsonb_each_text(data)
    ) AS measured
), renewed AS (
    UPDATE {schema}.session
    SET id = $2,
        data = judged.data,
        version = judged.version,
        user_id = $5,
        created = CASE WHEN $6 THEN judged.now ELSE judged.created END,
        last_seen = judged.now,
        idle_timeout = CASE WHEN $6 THEN $7 ELSE judged.idle_timeout END,
        absolute_end = CASE WHEN $6 THEN least(judged.now + $8, {last_ms}) ELSE judged.absolute_end END
    FROM judged
    WHERE session.id = $1 AND judged.outcome = 'done'
    RETURNING judged.now
), marked AS (
    INSERT INTO {schema}.marker (id, successor, by_login, until)
    SELECT $1, $2, $6, renewed.now + {marker_ms} FROM renewed
    ON CONFLICT (id) DO UPDATE
    SET successor = excluded.successor, by_login = excluded.by_login, until = excluded.until
)
SELECT
    outcome,
    version,
    size,
    CASE WHEN outcome = 'done'
        THEN pg_notify('{changes}', CASE WHEN $6 THEN $1::text ELSE $1::text || '>' || $2::text END)
    END AS notification
FROM judged
