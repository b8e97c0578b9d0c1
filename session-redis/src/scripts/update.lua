-- Changes a session's data.
-- KEYS: 1 the session
-- ARGV: 1 '1' if it is activity too, else '0'  2 the largest size allowed  3 '1' if there is more to it, else '0'
--       if there is, 4 the seal, if there is none yet, or ''
--         5 what is expected of a key: '' nothing, '=' that it has a value, '-' that it has none
--         6 that key or ''  7 that value or ''
--       then how many keys are removed, each key that is set and its value, the keys removed
-- Returns the version, {'conflict', value or nil}, {'too large', size}, or what `open.lua` answers

local has_more = ARGV[3] == '1'
local changes = has_more and 8 or 4

if has_more and ARGV[5] ~= '' then
    local current = redis.call('HGET', key, ARGV[6])
    if current ~= (ARGV[5] == '=' and ARGV[7]) then
        return { 'conflict', current }
    end
end

local version, size = struct.unpack('>I6I6', head, 2)
local last, limit = last_of(changes), tonumber(ARGV[2])
size = size_after(key, size, changes, last, limit)
if size > limit then
    return { 'too large', size }
end

if has_more and ARGV[4] ~= '' then
    redis.call('HSETNX', key, '\0w', ARGV[4])
end
version = version + 1
head = struct.pack('>BI6I6', 1, version, size)
    .. (is_activity and struct.pack('>I6', time) .. string.sub(head, 20) or string.sub(head, 14))
change(key, head, changes, last)
if is_activity then
    redis.call('PEXPIRE', key, math.min(idle, stop - time))
end
-- A connection that has read the key is to hear of the next change, and this one made the server forget that: so it is
-- asked something of the key. It tells, too, of a key whose time to live was taken away.
if redis.call('PTTL', key) == -1 and struct.unpack('>I6', head, 32) <= now() then
    redis.call('DEL', key)
    return { 'ended' }
end
return version
