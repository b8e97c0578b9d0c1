-- Gives a session a new id, leaves a marker at the old one, makes a renewal's changes, and tells all instances: a login
-- is the end of the session before.
-- $1 old id, $2 new id, $3 keys to set, $4 keys to remove, $5 user or NULL, $6 whether it is a login, $7 a login's idle
-- timeout in ms, $8 a login's lifetime in ms, $9 the largest size allowed, $10 a login's lock in ms or NULL, $11 what a
-- login says of itself or NULL, $12 seal or NULL, $13 a login's class, $14 the most sessions of it
-- that the user may have or NULL, $15 whether the oldest make room, $16 a login's time to a renewal in ms or NULL, $17 the nonce of a renewal by time
-- or NULL
-- Returns outcome ('done', 'ended', 'locked', 'limit reached', 'in use', 'too large'), version and size, or no row if there is no such session.
--
-- The row itself gets the new id: a copy would lose what a request in flight writes to the old one. It is locked first;
-- update.sql says why. Before it, the user is locked; 0003_about_lock_seal.sql says why.
WITH locked_user AS MATERIALIZED (
    SELECT CASE WHEN $14::int IS NOT NULL THEN pg_advisory_xact_lock({user_lock}, hashtext($5)) END
), locked AS MATERIALIZED (
    SELECT
        data, version, user_id, created, last_seen, idle_timeout, absolute_end, expires, lock, about, seal, renewal
    FROM {schema}.session
    WHERE (SELECT count(*) FROM locked_user) = 1 AND id = $1 AND jsonb_typeof(data) = 'object'
    FOR UPDATE
), merged AS MATERIALIZED (
    SELECT
        -- Of one user's data nothing goes over to another.
        CASE WHEN handover THEN $3::jsonb ELSE data || $3::jsonb END - $4::text[] AS data,
        $12::bytea AS seal,
        -- The new token opens no seal but one that was made for it.
        $12 IS NULL AND seal IS NOT NULL AND NOT handover AS loses_seal,
        version + 1 AS version,
        user_id,
        created,
        idle_timeout,
        last_seen,
        absolute_end,
        expires,
        lock,
        about,
        renewal,
        {now} AS now
    FROM locked, LATERAL (SELECT $6 AND user_id IS NOT NULL AND user_id IS DISTINCT FROM $5 AS handover) AS whose
), judged AS MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN now >= expires THEN 'ended'
            WHEN NOT $6 AND user_id IS DISTINCT FROM $5 THEN 'ended'
            WHEN loses_seal THEN 'ended'
            WHEN NOT $6 AND last_seen + lock <= now THEN 'locked'
            WHEN EXISTS (SELECT FROM {schema}.session AS other WHERE other.id = $2 AND merged.now < other.expires)
                OR EXISTS (SELECT FROM {schema}.marker AS other WHERE other.id = $2 AND merged.now < other.until)
                THEN 'in use'
            WHEN size > $9 THEN 'too large'
            -- The last question, for the answer may end sessions.
            WHEN $14 IS NOT NULL AND NOT {schema}.make_room($5, $13, $14, $15, $1) THEN 'limit reached'
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
        absolute_end = CASE WHEN $6 THEN least(judged.now + $8, {last_ms}) ELSE judged.absolute_end END,
        lock = CASE WHEN $6 THEN $10 ELSE judged.lock END,
        about = CASE WHEN $6 THEN $11::jsonb ELSE judged.about END,
        seal = judged.seal,
        renewal = CASE WHEN $6 THEN $16 ELSE judged.renewal END,
        renewed = CASE WHEN $6 THEN NULL ELSE judged.now END
    FROM judged
    WHERE session.id = $1 AND judged.outcome = 'done'
    RETURNING judged.now
), marked AS (
    INSERT INTO {schema}.marker (id, successor, by_login, nonce, until)
    SELECT $1, $2, $6, $17, renewed.now + {marker_ms} FROM renewed
    ON CONFLICT (id) DO UPDATE
    SET successor = excluded.successor, by_login = excluded.by_login, nonce = excluded.nonce, until = excluded.until
)
SELECT
    outcome,
    version,
    size,
    CASE WHEN outcome = 'done'
        THEN pg_notify('{changes}', CASE WHEN $6 THEN $1::text ELSE $1::text || '>' || $2::text END)
    END AS notification
FROM judged
