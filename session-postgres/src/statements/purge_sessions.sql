-- Removes expired sessions, leaving out those that somebody else is at.
-- $1 the most to remove
-- Returns how many.
--
-- The time is a subquery of its own, so that the index on the bucket can be used. In the index's order: otherwise the
-- server may read all that has expired, each time, to find a few.
WITH expired AS (
    SELECT id
    FROM {schema}.session
    WHERE expiry_bucket <= (SELECT {now} / {bucket_ms}) AND expires <= (SELECT {now})
    ORDER BY expiry_bucket
    LIMIT $1
    FOR UPDATE SKIP LOCKED
), purged AS (
    DELETE FROM {schema}.session USING expired WHERE session.id = expired.id RETURNING 1
)
SELECT count(*) AS count FROM purged
