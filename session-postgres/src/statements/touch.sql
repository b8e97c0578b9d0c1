-- Starts a session's idle timeout again.
-- $1 id
-- Returns outcome ('done', 'locked'), or no row if the session was not alive.
--
-- The time is read after the wait for the lock, so nothing is revived that expired meanwhile.
WITH locked AS MATERIALIZED (
    SELECT last_seen, lock, expires
    FROM {schema}.session
    WHERE id = $1 AND jsonb_typeof(data) = 'object'
    FOR UPDATE
), clocked AS MATERIALIZED (
    SELECT *, {now} AS now FROM locked
), judged AS MATERIALIZED (
    SELECT now, CASE WHEN last_seen + lock <= now THEN 'locked' ELSE 'done' END AS outcome
    FROM clocked
    WHERE now < expires
), touched AS (
    UPDATE {schema}.session
    SET last_seen = judged.now
    FROM judged
    WHERE session.id = $1 AND judged.outcome = 'done'
)
SELECT outcome FROM judged
