-- Asks for a sign of life.
-- Returns one row.
SELECT 1
