-- Records that work is done.
-- $1 name, $2 claim
-- Returns a row if the claim held, also if it was recorded before.
--
-- The time is read after the wait for the lock, so no end counts that comes after the lapse.
WITH locked AS MATERIALIZED (
    SELECT until, done FROM {schema}.work WHERE name = $1 AND claim = $2 FOR UPDATE
), judged AS MATERIALIZED (
    SELECT until, done, {now} AS now FROM locked
)
UPDATE {schema}.work
SET done = coalesce(judged.done, judged.now)
FROM judged
WHERE work.name = $1 AND (judged.done IS NOT NULL OR judged.now < judged.until)
RETURNING 1
