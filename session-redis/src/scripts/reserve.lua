-- Lists a session that is about to be made, and forgets those past their absolute end.
-- KEYS: 1 the user's index
-- ARGV: 1 the id  2 its absolute timeout (ms); '' if it is the new id of a session  3 that has this one
-- Returns 1

local key, time = KEYS[1], now()
redis.call('ZREMRANGEBYSCORE', key, '-inf', past(time))
local stop
if ARGV[2] ~= '' then
    stop = time + ARGV[2]
else
    -- A renewal does not move the absolute end. A session that is not listed is dead, or its list was lost: then the
    -- score only says how long a dead member is kept at most, 400 days.
    stop = redis.call('ZSCORE', key, ARGV[3]) or time + 34560000000
end
redis.call('ZADD', key, stop, ARGV[1], time + 60000, '+' .. ARGV[1])
return 1
