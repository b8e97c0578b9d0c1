-- Starts a session's idle timeout again.
-- $1 id
-- Returns a row if the session was alive.
--
-- The time is read after the wait for the lock, so nothing is revived that expired meanwhile.
WITH locked AS MATERIALIZED (
    SELECT expires FROM {schema}.session WHERE id = $1 AND jsonb_typeof(data) = 'object' FOR UPDATE
), judged AS MATERIALIZED (
    SELECT expires, {now} AS now FROM locked
)
UPDATE {schema}.session
SET last_seen = judged.now
FROM judged
WHERE session.id = $1 AND judged.now < judged.expires
RETURNING 1
