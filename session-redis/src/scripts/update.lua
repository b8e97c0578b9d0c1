-- Changes a session's data.
-- KEYS: 1 the session
-- ARGV: 1 '1' if it is activity too, else '0'  2 the largest size allowed  3 which argument is the changes' first
--       if that is not the next, 4 the seal, if there is none yet, or ''
--         5 what is expected of a key: '' nothing, '=' that it has a value, '-' that it has none
--         6 that key or ''  7 that value or ''
--       then how many keys are set, each key and its value, the keys removed
-- Returns the version, {'conflict', value or nil}, {'too large', size}, or what `open.lua` answers

local changes = tonumber(ARGV[3])
local has_more = changes > 4

if has_more and ARGV[5] ~= '' then
    local current = redis.call('HGET', key, ARGV[6])
    if current ~= (ARGV[5] == '=' and ARGV[7]) then
        return { 'conflict', current }
    end
end

size = size_after(key, size, changes)
if size > tonumber(ARGV[2]) then
    return { 'too large', size }
end

if has_more and ARGV[4] ~= '' then
    redis.call('HSETNX', key, '\0w', ARGV[4])
end
local is_activity = ARGV[1] == '1'
version = version + 1
seen = is_activity and time or seen
change(key, struct.pack('>BI6I6I6', 1, version, seen, size) .. string.sub(head, 20), changes)
if is_activity then
    redis.call('PEXPIRE', key, math.min(idle, stop - time))
end
-- A connection that has read the key is to hear of the next change, and this one made the server forget that.
redis.call('HLEN', key)
return version
