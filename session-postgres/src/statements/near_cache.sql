-- Asks all instances to tell of what changes for a while, from the statements on that begin after this one.
-- $1 id of the near cache, $2 for how long (ms)
-- Returns for how long (ms) somebody has asked without a break, this one or another: so old are the statements that know.
WITH clock AS MATERIALIZED (
    SELECT {now} AS now
), forgotten AS (
    DELETE FROM {schema}.near_cache USING clock WHERE near_cache.until <= now AND near_cache.id <> $1
), asked AS (
    INSERT INTO {schema}.near_cache AS old (id, since, until)
    SELECT $1, now, now + $2 FROM clock
    ON CONFLICT (id) DO UPDATE
    SET since = CASE WHEN excluded.since < old.until THEN old.since ELSE excluded.since END, until = excluded.until
)
SELECT coalesce(max(now - since), 0) AS age FROM {schema}.near_cache, clock WHERE now < until
