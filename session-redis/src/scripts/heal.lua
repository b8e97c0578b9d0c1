-- Strikes sessions off a user's list that were found dead after it was read.
-- KEYS: 1 the user's index
-- ARGV: the ids, with '+' before those that were young when it was read
-- Returns {'done'}

local time = now()
for _, found in ipairs(ARGV) do
    local id = string.sub(found, -32)
    local young_until = redis.call('ZSCORE', KEYS[1], '+' .. id)
    -- A youth that has ended since it was seen ended because the session was made.
    local dead = not young_until and found == id
    if dead or (young_until and tonumber(young_until) <= time) then
        redis.call('ZREM', KEYS[1], id, '+' .. id)
    end
end
return { 'done' }
