-- Ends the youth of a session that is made by now, or is not going to be.
-- KEYS: 1 the user's index
-- ARGV: 1 the id
-- Returns {'done'}

-- A script, so that a server that does not know the scripts does not do this alone.
redis.call('ZREM', KEYS[1], '+' .. ARGV[1])
return { 'done' }
