-- Creates a session.
-- KEYS: 1 the session
-- ARGV: 1 the absolute timeout (ms)  2 how long it lives if nobody uses it (ms)
--       3 the front of its head, up to its size  4 the end of its head, its terms
--       then each field, whether it is of the data or not, and its value
-- Returns 1, the version, also if it is there already, just as this would make it, or {'in use'}

local key = KEYS[1]

if redis.call('EXISTS', key) == 1 then
    local head = redis.pcall('HGET', key, '\0h')
    local same = type(head) == 'string' and string.sub(head, 1, 13) == ARGV[3] and string.sub(head, 38) == ARGV[4]
        and redis.call('HLEN', key) == 1 + (#ARGV - 4) / 2
    for i = 5, #ARGV, 2 do
        same = same and redis.call('HGET', key, ARGV[i]) == ARGV[i + 1]
    end
    return same and 1 or { 'in use' }
end

local time = now()
write(key, ARGV[3] .. struct.pack('>I6I6I6I6', time, time, time, time + ARGV[1]) .. ARGV[4], 5, #ARGV)
redis.call('PEXPIRE', key, ARGV[2])
return 1
