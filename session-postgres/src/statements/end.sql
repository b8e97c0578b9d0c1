-- Ends a session.
-- $1 id
-- Returns a row if it was there.
DELETE FROM {schema}.session WHERE id = $1 RETURNING 1
