-- Ends a session, and tells all instances.
-- $1 id
-- Returns a row if it was there.
WITH ended AS (
    DELETE FROM {schema}.session WHERE id = $1 RETURNING id
)
SELECT pg_notify('{changes}', id::text) FROM ended
