-- Frees work that this claim has.
-- $1 name, $2 claim
-- Returns a row if there was something to free.
DELETE FROM {schema}.work WHERE name = $1 AND claim = $2 AND done IS NULL RETURNING 1
