-- Creates a session.
-- KEYS: 1 the session
-- ARGV: 1 idle timeout (ms)  2 absolute timeout (ms)  3 size of the data  4 its terms  5 its owner
--       then each field, whether it is of the data or not, and its value
-- Returns 1, the version, also if it is there already, just as this would make it, or {'in use'}

local key = KEYS[1]

if redis.call('EXISTS', key) == 1 then
    local record = at(key)
    local same = record.kind == 'live' and record.version == 1
        and string.sub(record.head, 44) == ARGV[4] .. ARGV[5]
        and redis.call('HLEN', key) == 1 + (#ARGV - 5) / 2
    for i = 6, #ARGV, 2 do
        same = same and redis.call('HGET', key, ARGV[i]) == ARGV[i + 1]
    end
    return same and 1 or { 'in use' }
end

local time, idle, life = now(), tonumber(ARGV[1]), tonumber(ARGV[2])
local numbers = struct.pack('>BI6I6I6I6I6I6I6', 1, 1, time, ARGV[3], time, idle, time + life, time)
write(key, numbers .. ARGV[4] .. ARGV[5], 6, #ARGV)
redis.call('PEXPIRE', key, math.min(idle, life))
return 1
