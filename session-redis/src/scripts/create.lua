-- Creates a session.
-- KEYS: 1 the session
-- ARGV: 1 idle timeout (ms)  2 absolute timeout (ms)  3 size of the data  4 its terms  5 its owner
--       then each field, whether it is of the data or not, and its value
-- Returns {'done', 1}, also if it is there already, just as this would make it, or {'in use'}

local key = KEYS[1]

if redis.call('EXISTS', key) == 1 then
    local record = at(key)
    local same = record.kind == 'live' and record.version == 1
        and terms_of(record) == ARGV[4] and owner_of(record) == ARGV[5]
        and redis.call('HLEN', key) == 1 + (#ARGV - 5) / 2
    for i = 6, #ARGV, 2 do
        same = same and redis.call('HGET', key, ARGV[i]) == ARGV[i + 1]
    end
    return { same and 'done' or 'in use', 1 }
end

local time = now()
local record = { time = time, version = 1, seen = time, size = ARGV[3] }
settle(record, time, tonumber(ARGV[1]), time + ARGV[2], time, ARGV[4], ARGV[5])
write(key, record, 6, #ARGV)
expire(key, record)
return { 'done', 1 }
