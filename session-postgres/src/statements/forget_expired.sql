-- Removes one session if it has expired.
-- $1 id
-- Returns a row if it had.
DELETE FROM {schema}.session WHERE id = $1 AND expires <= {now} RETURNING 1
