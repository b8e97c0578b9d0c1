-- Removes markers whose time is over, leaving out those that somebody else is at.
-- $1 the most to remove
-- Returns how many.
WITH expired AS (
    SELECT id FROM {schema}.marker WHERE until <= (SELECT {now}) LIMIT $1 FOR UPDATE SKIP LOCKED
), purged AS (
    DELETE FROM {schema}.marker USING expired WHERE marker.id = expired.id RETURNING 1
)
SELECT count(*) AS count FROM purged
