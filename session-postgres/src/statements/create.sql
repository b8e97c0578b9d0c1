-- Creates a session, in place of an expired one with this id if there is one.
-- $1 id, $2 data, $3 user or NULL, $4 idle timeout in ms, $5 lifetime in ms, $6 lock in ms or NULL, $7 what the login
-- says of itself or NULL, $8 seal or NULL, $9 class, $10 the most sessions of it that the user may have or NULL, $11
-- whether the oldest make room, $12 time to a renewal in ms or NULL
-- Returns outcome ('done', 'limit reached' or 'in use') and the version.
--
-- The user is locked first, before any session; 0003_about_lock_seal.sql says why.
WITH locked_user AS MATERIALIZED (
    SELECT CASE WHEN $10::int IS NOT NULL THEN pg_advisory_xact_lock({user_lock}, hashtext($3)) END
), free AS MATERIALIZED (
    SELECT NOT EXISTS (SELECT FROM {schema}.marker WHERE marker.id = $1 AND {now} < marker.until) AS free
), room AS MATERIALIZED (
    SELECT CASE WHEN $10 IS NOT NULL AND free THEN {schema}.make_room($3, $9, $10, $11, $1) ELSE true END AS room
    FROM free
    WHERE (SELECT count(*) FROM locked_user) = 1
), created AS (
    INSERT INTO {schema}.session AS old
        (id, data, version, user_id, created, last_seen, idle_timeout, absolute_end, lock, about, seal, renewal)
    SELECT $1, $2::jsonb, 1, $3, clock.now, clock.now, $4, least(clock.now + $5, {last_ms}), $6, $7::jsonb, $8, $12
    FROM (SELECT {now} AS now FROM room WHERE room) AS clock
    WHERE (SELECT free FROM free)
    ON CONFLICT (id) DO UPDATE SET
        data = excluded.data,
        version = excluded.version,
        user_id = excluded.user_id,
        created = excluded.created,
        last_seen = excluded.last_seen,
        idle_timeout = excluded.idle_timeout,
        absolute_end = excluded.absolute_end,
        lock = excluded.lock,
        about = excluded.about,
        seal = excluded.seal,
        renewal = excluded.renewal,
        renewed = NULL
    WHERE old.expires <= excluded.created
    RETURNING version
)
SELECT
    CASE
        WHEN EXISTS (SELECT FROM created) THEN 'done'
        WHEN EXISTS (SELECT FROM room WHERE NOT room) THEN 'limit reached'
        ELSE 'in use'
    END AS outcome,
    1::bigint AS version
