-- Asks all instances to tell of what changes for a while, from the statements on that begin after this one; and is told
-- of itself, by which the near cache knows that it hears what is told on such a connection.
-- $1 id of the near cache, $2 for how long (ms)
-- Returns for how long (ms) somebody has asked without a break, this one or another: so old are the statements that know.
WITH clock AS MATERIALIZED (
    SELECT {now} AS now
), over AS MATERIALIZED (
    SELECT id FROM {schema}.near_cache, clock WHERE until <= now AND id <> $1 FOR UPDATE OF near_cache SKIP LOCKED
), forgotten AS (
    DELETE FROM {schema}.near_cache USING over WHERE near_cache.id = over.id
), asked AS (
    INSERT INTO {schema}.near_cache AS old (id, since, until)
    SELECT $1, now, now + $2 FROM clock
    ON CONFLICT (id) DO UPDATE
    SET since = CASE WHEN excluded.since < old.until THEN old.since ELSE excluded.since END, until = excluded.until
), told AS MATERIALIZED (
    SELECT pg_notify('{changes}', '?' || $1)
)
SELECT coalesce(max(now - since), 0) AS age, (SELECT count(*) FROM told) AS notifications
FROM {schema}.near_cache, clock
WHERE now < until
