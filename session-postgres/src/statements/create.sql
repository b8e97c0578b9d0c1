-- Creates sessions, each in place of an expired one with its id if there is one.
-- Arrays with an item for each: $1 id, $2 data, $3 user or NULL, $4 idle timeout in ms, $5 lifetime in ms, $6 lock in ms
-- or NULL, $7 what the login says of itself or NULL, $8 seal or NULL, $9 class, $10 the most sessions of it that the user
-- may have or NULL, $11 whether the oldest make room, $12 time to a renewal in ms or NULL
-- Returns for each its id, outcome ('done', 'limit reached' or 'in use') and the version; in no order.
--
-- The user is locked first, before any session; 0003_about_lock_seal.sql says why. With a limit one is made at a time.
WITH asked AS MATERIALIZED (
    SELECT *
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::bytea[],
                $9::text[], $10::int[], $11::boolean[], $12::bigint[])
        AS asked (id, data, login_user, idle, life, lock, about, seal, class, most, end_oldest, renewal)
), locked_users AS MATERIALIZED (
    SELECT CASE WHEN most IS NOT NULL THEN pg_advisory_xact_lock({user_lock}, hashtext(login_user)) END FROM asked
), looked_at AS MATERIALIZED (
    SELECT
        *,
        NOT EXISTS (SELECT FROM {schema}.marker WHERE marker.id = asked.id AND {now} < marker.until) AS is_free
    FROM asked
    WHERE (SELECT count(*) FROM locked_users) > 0
), judged AS MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN most IS NOT NULL AND is_free THEN {schema}.make_room(login_user, class, most, end_oldest, id)
            ELSE true
        END AS has_room
    FROM looked_at
), created AS (
    INSERT INTO {schema}.session AS old
        (id, data, version, user_id, created, last_seen, idle_timeout, absolute_end, lock, about, seal, renewal)
    SELECT
        id, data::jsonb, 1, login_user, now, now, idle, least(now + life, {last_ms}), lock, about::jsonb, seal, renewal
    FROM (SELECT *, {now} AS now FROM judged WHERE is_free AND has_room) AS clocked
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
    RETURNING id
)
SELECT
    id,
    CASE
        WHEN EXISTS (SELECT FROM created WHERE created.id = judged.id) THEN 'done'
        WHEN NOT has_room THEN 'limit reached'
        ELSE 'in use'
    END AS outcome,
    1::bigint AS version
FROM judged
