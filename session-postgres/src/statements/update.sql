-- Merges changes into sessions, one into each; it may be several that were joined.
-- Arrays with an item for each change: $1 id, $2 keys to set (an object of strings), $3 keys to remove (an array),
-- $4 expected key or NULL, $5 its value or NULL for none, $6 whether to touch, $7 the largest size allowed, $8 the seal
-- if it has none, or NULL, $9 how many were joined
-- Returns for each session that is there its id, outcome ('done', 'ended', 'locked', 'conflict', 'too large'), version,
-- size and current (the expected key's value); in no order.
--
-- Tells all instances, if one of them has a near cache.
--
-- The rows are locked first, and everything is worked out from what the locks returned: the newest data, and a time read
-- after the wait. So nothing is merged into old data, and nothing is revived that expired meanwhile.
WITH asked AS MATERIALIZED (
    SELECT *
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::bigint[], $8::bytea[],
                $9::int[])
        AS asked (id, sets, removals, key, value, touch, most, seal, joined)
), locked AS MATERIALIZED (
    SELECT id, session.data, session.version, session.last_seen, session.lock, session.expires
    FROM {schema}.session
    WHERE id = ANY ($1) AND jsonb_typeof(data) = 'object'
    ORDER BY id
    FOR UPDATE OF session
), clock AS MATERIALIZED (
    SELECT {now} AS now FROM (SELECT count(*) FROM locked) AS all_are_locked
), merged AS MATERIALIZED (
    SELECT
        id,
        (data || sets::jsonb) - ARRAY(SELECT jsonb_array_elements_text(removals::jsonb)) AS data,
        key,
        value,
        coalesce(data ->> key, (data -> key)::text) AS current,
        version + joined AS version,
        last_seen,
        lock,
        expires,
        touch,
        most,
        seal,
        now
    FROM locked JOIN asked USING (id), clock
), judged AS MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN now >= expires THEN 'ended'
            WHEN last_seen + lock <= now THEN 'locked'
            WHEN key IS NOT NULL AND current IS DISTINCT FROM value THEN 'conflict'
            WHEN size > most THEN 'too large'
            ELSE 'done'
        END AS outcome
    FROM merged, LATERAL (
        SELECT coalesce(sum(octet_length(name) + octet_length(text)), 0) AS size
        FROM jsonb_each_text(merged.data) AS item (name, text)
    ) AS measured
), written AS (
    UPDATE {schema}.session
    SET data = judged.data,
        version = judged.version,
        last_seen = CASE WHEN judged.touch THEN judged.now ELSE judged.last_seen END,
        seal = coalesce(session.seal, judged.seal)
    FROM judged
    WHERE session.id = judged.id AND judged.outcome = 'done'
    RETURNING judged.id, judged.version
), told AS MATERIALIZED (
    SELECT pg_notify('{changes}', string_agg(id || '=' || version, ' '))
    FROM written
    WHERE EXISTS (SELECT FROM {schema}.near_cache WHERE {now} < until)
    HAVING count(*) > 0
)
SELECT id, outcome, version, size, current, (SELECT count(*) FROM told) AS notifications FROM judged
