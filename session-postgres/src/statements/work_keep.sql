-- Lets a claim hold for a whole lease again.
-- $1 name, $2 claim, $3 its lease in ms
-- Returns a row if it held.
--
-- The time is read after the wait for the lock, so nothing is revived that lapsed meanwhile.
WITH locked AS MATERIALIZED (
    SELECT until FROM {schema}.work WHERE name = $1 AND claim = $2 AND done IS NULL FOR UPDATE
), judged AS MATERIALIZED (
    SELECT until, {now} AS now FROM locked
)
UPDATE {schema}.work
SET until = judged.now + $3
FROM judged
WHERE work.name = $1 AND judged.now < judged.until
RETURNING 1
