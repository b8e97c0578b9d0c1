-- Claims work.
-- $1 name, $2 claim, $3 its lease in ms
-- Returns outcome ('done', also if it was claimed so before, 'in use' if another claim holds, or 'finished').
--
-- Whoever waits for somebody else only reads. What is read may be out of date, also because the claim had to wait for
-- another one: then the answer is 'in use', as it was a moment ago.
WITH known AS MATERIALIZED (
    SELECT done IS NOT NULL AS finished, claim <> $2 AND {now} < until AS in_use FROM {schema}.work WHERE name = $1
), claimed AS (
    INSERT INTO {schema}.work AS old (name, claim, until)
    SELECT $1, $2, {now} + $3
    WHERE NOT EXISTS (SELECT FROM known WHERE finished OR in_use)
    ON CONFLICT (name) DO UPDATE SET claim = excluded.claim, until = {now} + $3
    WHERE old.done IS NULL AND (old.claim = excluded.claim OR old.until <= {now})
    RETURNING 1
)
SELECT CASE
    WHEN EXISTS (SELECT FROM claimed) THEN 'done'
    WHEN EXISTS (SELECT FROM known WHERE finished) THEN 'finished'
    ELSE 'in use'
END AS outcome
