-- Strikes sessions that are not there off a user's list, unless they are young.
-- KEYS: 1 the user's index
-- ARGV: the ids
-- Returns {'done'}

local time = now()
for _, id in ipairs(ARGV) do
    local young_until = redis.call('ZSCORE', KEYS[1], '+' .. id)
    if not young_until or tonumber(young_until) <= time then
        redis.call('ZREM', KEYS[1], id, '+' .. id)
    end
end
return { 'done' }
