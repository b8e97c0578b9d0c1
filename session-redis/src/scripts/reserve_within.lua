-- Lists a session that is about to be made, if nothing is listed that its maker does not know of.
-- KEYS: 1 the user's index
-- ARGV: 1 the id  2 its absolute timeout (ms)  then the ids that are known
-- Returns {'done'}, also if it is listed already, or {'conflict'}

local known = {}
for i = 3, #ARGV do
    known[ARGV[i]] = true
end
local key, time = KEYS[1], now()
redis.call('ZREMRANGEBYSCORE', key, '-inf', past(time))
for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do
    if #member == 32 and member ~= ARGV[1] and not known[member] then
        return { 'conflict' }
    end
end
redis.call('ZADD', key, time + ARGV[2], ARGV[1], time + 60000, '+' .. ARGV[1])
return { 'done' }
