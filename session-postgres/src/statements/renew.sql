-- Gives sessions new ids, leaves markers at the old ones, makes each renewal's changes, and tells all instances: a login
-- is the end of the session before.
-- Arrays with an item for each: $1 old id, $2 new id, $3 keys to set (an object of strings), $4 keys to remove (an
-- array), $5 user or NULL, $6 whether it is a login, $7 a login's idle timeout in ms, $8 a login's lifetime in ms, $9 the
-- largest size allowed, $10 a login's lock in ms or NULL, $11 what a login says of itself or NULL, $12 seal or NULL, $13 a
-- login's class, $14 the most sessions of it that the user may have or NULL, $15 whether the oldest make room, $16 a
-- login's time to a renewal in ms or NULL, $17 the nonce of a renewal by time or NULL
-- Returns for each session that is there its old id, outcome ('done', 'ended', 'locked', 'limit reached', 'in use', 'too
-- large'), version and size; in no order.
--
-- The row itself gets the new id: a copy would lose what a request in flight writes to the old one. It is locked first;
-- update.sql says why. Before it, the user is locked; 0003_about_lock_seal.sql says why. With a limit one is renewed at a
-- time.
WITH asked AS MATERIALIZED (
    SELECT *
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::bigint[], $8::bigint[],
                $9::bigint[], $10::bigint[], $11::text[], $12::bytea[], $13::text[], $14::int[], $15::boolean[],
                $16::bigint[], $17::bytea[])
        AS asked (id, successor, sets, removals, new_user, is_login, new_idle, new_life, max_size, new_lock, new_about,
                  new_seal, class, most, end_oldest, new_renewal, nonce)
), locked_users AS MATERIALIZED (
    SELECT CASE WHEN most IS NOT NULL THEN pg_advisory_xact_lock({user_lock}, hashtext(new_user)) END FROM asked
), locked AS MATERIALIZED (
    SELECT id, data, version, user_id, created, last_seen, idle_timeout, absolute_end, expires, lock, about, seal, renewal
    FROM {schema}.session
    WHERE (SELECT count(*) FROM locked_users) > 0 AND id = ANY ($1) AND jsonb_typeof(data) = 'object'
    ORDER BY id
    FOR UPDATE OF session
), clock AS MATERIALIZED (
    SELECT {now} AS now FROM (SELECT count(*) FROM locked) AS all_are_locked
), merged AS MATERIALIZED (
    SELECT
        asked.*,
        -- Of one user's data nothing goes over to another.
        CASE WHEN is_handover THEN sets::jsonb ELSE data || sets::jsonb END
            - ARRAY(SELECT jsonb_array_elements_text(removals::jsonb)) AS data,
        -- The new token opens no seal but one that was made for it.
        new_seal IS NULL AND seal IS NOT NULL AND NOT is_handover AS loses_seal,
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
        now
    FROM locked JOIN asked USING (id), clock,
        LATERAL (SELECT is_login AND user_id IS NOT NULL AND user_id IS DISTINCT FROM new_user AS is_handover) AS whose
), judged AS MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN now >= expires THEN 'ended'
            WHEN NOT is_login AND user_id IS DISTINCT FROM new_user THEN 'ended'
            WHEN loses_seal THEN 'ended'
            WHEN NOT is_login AND last_seen + lock <= now THEN 'locked'
            WHEN EXISTS (
                SELECT FROM {schema}.session AS other WHERE other.id = merged.successor AND merged.now < other.expires
            ) OR EXISTS (
                SELECT FROM {schema}.marker AS other WHERE other.id = merged.successor AND merged.now < other.until
            ) THEN 'in use'
            WHEN size > max_size THEN 'too large'
            -- The last question, for the answer may end sessions.
            WHEN most IS NOT NULL AND NOT {schema}.make_room(new_user, class, most, end_oldest, id) THEN 'limit reached'
            ELSE 'done'
        END AS outcome
    FROM merged, LATERAL (
        SELECT coalesce(sum(octet_length(name) + octet_length(text)), 0) AS size
        FROM jsonb_each_text(merged.data) AS item (name, text)
    ) AS measured
), renewed AS (
    UPDATE {schema}.session
    SET id = judged.successor,
        data = judged.data,
        version = judged.version,
        user_id = judged.new_user,
        created = CASE WHEN is_login THEN judged.now ELSE judged.created END,
        last_seen = judged.now,
        idle_timeout = CASE WHEN is_login THEN judged.new_idle ELSE judged.idle_timeout END,
        absolute_end = CASE WHEN is_login THEN least(judged.now + new_life, {last_ms}) ELSE judged.absolute_end END,
        lock = CASE WHEN is_login THEN judged.new_lock ELSE judged.lock END,
        about = CASE WHEN is_login THEN judged.new_about::jsonb ELSE judged.about END,
        seal = judged.new_seal,
        renewal = CASE WHEN is_login THEN judged.new_renewal ELSE judged.renewal END,
        renewed = CASE WHEN is_login THEN NULL ELSE judged.now END
    FROM judged
    WHERE session.id = judged.id AND judged.outcome = 'done'
    RETURNING judged.id, judged.successor, judged.is_login, judged.nonce, judged.now
), marked AS (
    INSERT INTO {schema}.marker (id, successor, by_login, nonce, until)
    SELECT id, successor, is_login, nonce, now + {marker_ms} FROM renewed
    ON CONFLICT (id) DO UPDATE
    SET successor = excluded.successor, by_login = excluded.by_login, nonce = excluded.nonce, until = excluded.until
), told AS MATERIALIZED (
    SELECT pg_notify('{changes}', string_agg(CASE WHEN is_login THEN id::text ELSE id || '>' || successor END, ' '))
    FROM renewed
    HAVING count(*) > 0
)
SELECT id, outcome, version, size, (SELECT count(*) FROM told) AS notifications FROM judged
