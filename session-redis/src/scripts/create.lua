-- Creates a session.
-- KEYS: 1 the session
-- ARGV: 1 idle timeout (ms)  2 absolute timeout (ms)  3 size of the data  4 '1' if there is a user, else '0'
--       5 the user or ''  6 how many keys are set  then each key and its value
-- Returns {'done', 1}, also if it is there already, just as this would make it, or {'in use'}

local key, has_user = KEYS[1], ARGV[4] == '1'

if redis.call('EXISTS', key) == 1 then
    local record = at(key)
    local same = record.kind == 'live' and record.version == 1 and record.user == (has_user and ARGV[5])
    same = same and redis.call('HLEN', key) == tonumber(ARGV[6]) + (has_user and 8 or 7)
    for i = 7, #ARGV, 2 do
        same = same and redis.call('HGET', key, ARGV[i]) == ARGV[i + 1]
    end
    return { same and 'done' or 'in use', 1 }
end

local time, idle, life = now(), tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('HSET', key, '\0f', '1', '\0v', '1', '\0c', digits(time), '\0s', digits(time),
    '\0i', ARGV[1], '\0e', digits(time + life), '\0z', ARGV[3])
if has_user then
    redis.call('HSET', key, '\0u', ARGV[5])
end
in_chunks('HSET', key, 7, #ARGV)
redis.call('PEXPIRE', key, digits(math.min(idle, life)))
return { 'done', 1 }
