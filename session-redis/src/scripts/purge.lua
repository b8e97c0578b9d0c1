-- Forgets sessions of a user past their absolute end.
-- KEYS: 1 the user's index
-- ARGV: 1 how many at most
-- Returns {'done', how many}

local members = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', past(now()), 'LIMIT', 0, ARGV[1])
for _, member in ipairs(members) do
    redis.call('ZREM', KEYS[1], member)
end
return { 'done', #members }
