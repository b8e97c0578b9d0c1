-- Merges a change into a session.
-- $1 id, $2 keys to set, $3 keys to remove, $4 expected key or NULL, $5 its value or NULL for none, $6 whether to
-- touch, $7 the largest size allowed, $8 the seal if it has none, or NULL
-- Returns outcome ('done', 'ended', 'locked', 'conflict', 'too large'), version, size and current (the expected key's value), or
-- no row if there is no such session.
--
-- The row is locked first, and everything is worked out from what the lock returned: the newest data, and a time read
-- after the wait. So nothing is merged into old data, and nothing is revived that expired meanwhile.
WITH locked AS MATERIALIZED (
    SELECT data, version, last_seen, lock, expires
    FROM {schema}.session
    WHERE id = $1 AND jsonb_typeof(data) = 'object'
    FOR UPDATE
), merged AS MATERIALIZED (
    SELECT
        (data || $2::jsonb) - $3::text[] AS data,
        coalesce(data ->> $4, (data -> $4)::text) AS current,
        version + 1 AS version,
        last_seen,
        lock,
        expires,
        {now} AS now
    FROM locked
), judged AS MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN now >= expires THEN 'ended'
            WHEN last_seen + lock <= now THEN 'locked'
            WHEN $4 IS NOT NULL AND current IS DISTINCT FROM $5 THEN 'conflict'
            WHEN size > $7 THEN 'too large'
            ELSE 'done'
        END AS outcome
    FROM merged, LATERAL (
        SELECT coalesce(sum(octet_length(key) + octet_length(value)), 0) AS size FROM jsonb_each_text(data)
    ) AS measured
), written AS (
    UPDATE {schema}.session
    SET data = judged.data,
        version = judged.version,
        last_seen = CASE WHEN $6 THEN judged.now ELSE judged.last_seen END,
        seal = coalesce(session.seal, $8)
    FROM judged
    WHERE session.id = $1 AND judged.outcome = 'done'
)
SELECT outcome, version, size, current FROM judged
