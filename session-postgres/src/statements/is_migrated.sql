-- Tells whether the tables are up to date, or newer.
-- $1 the newest version known here
-- Returns a row if they are.
SELECT 1 FROM {schema}.migration WHERE version >= $1 LIMIT 1
