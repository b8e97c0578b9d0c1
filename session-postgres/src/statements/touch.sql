-- Starts the idle timeout of sessions again.
-- $1 ids
-- Returns for each that is alive its id and outcome ('done', 'locked'); in no order.
--
-- Tells all instances, if one of them has a near cache.
--
-- The time is read after the wait for the locks, so nothing is revived that expired meanwhile.
WITH locked AS MATERIALIZED (
    SELECT id, last_seen, lock, expires
    FROM {schema}.session
    WHERE id = ANY ($1) AND jsonb_typeof(data) = 'object'
    ORDER BY id
    FOR UPDATE OF session
), clock AS MATERIALIZED (
    SELECT {now} AS now FROM (SELECT count(*) FROM locked) AS all_are_locked
), judged AS MATERIALIZED (
    SELECT id, now, CASE WHEN last_seen + lock <= now THEN 'locked' ELSE 'done' END AS outcome
    FROM locked, clock
    WHERE now < expires
), touched AS (
    UPDATE {schema}.session
    SET last_seen = judged.now
    FROM judged
    WHERE session.id = judged.id AND judged.outcome = 'done'
    RETURNING judged.id
), told AS MATERIALIZED (
    SELECT pg_notify('{changes}', string_agg(id || '=', ' '))
    FROM touched
    WHERE EXISTS (SELECT FROM {schema}.near_cache WHERE {now} < until)
    HAVING count(*) > 0
)
SELECT id, outcome, (SELECT count(*) FROM told) AS notifications FROM judged
