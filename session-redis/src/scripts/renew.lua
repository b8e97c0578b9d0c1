-- Gives a session a new id, makes changes to it, and leaves a marker at the old id for five minutes. A login
-- as somebody else leaves the data behind.
-- KEYS: 1 the session  2 the same under its new id, in the same slot
-- ARGV: 1 '1' if it is a login, else '0'
--       2, 3 and 4 then the absolute timeout (ms), how long it lives if nobody uses it (ms) and its terms, else ''
--       5 '=' and the user, or '' if it is a visitor's  6 the largest size allowed
--       7 '1' if it is only asked whether it can be done, else '0'
--       8 the nonce of a renewal by time, else ''
--       9 how many arguments follow for the fields that are none of the data: each and its value
--       then how many keys are removed, each key that is set and its value, the keys removed
-- Returns the version, also if it was done before, {'ended'}, {'locked'}, {'in use'} or {'too large', size}

local from, to, id = KEYS[1], KEYS[2], string.sub(KEYS[2], -32)
local login, only_asks = ARGV[1] == '1', ARGV[7] == '1'
local changes = ARGV[9] == '0' and 10 or 10 + ARGV[9]

local fields = redis.pcall('HMGET', from, '\0h', '\0u', '\0w', '\0a')
local head, user, seal, about = fields[1], fields[2], fields[3], fields[4]
local format = head and string.byte(head)
if format == 2 and string.sub(head, 9, 40) == id then
    head = redis.call('HGET', to, '\0h')
    format = head and string.byte(head)
    return format == 1 and struct.unpack('>I6', head, 2) or { 'ended' }
elseif format ~= 1 or #head < 55 then
    return { 'ended' }
end
local version, size, seen = struct.unpack('>I6I6I6', head, 2)
local stop, idle, lock = struct.unpack('>I6I6I6', head, 32)
-- What is judged, and what is written, is judged and written by this one look at the clock.
local time = now()
local is_same = (user and '=' .. user or '') == ARGV[5]
if stop <= time or not (is_same or login) then
    return { 'ended' }
elseif lock > 0 and seen + lock <= time and not login then
    return { 'locked' }
elseif (only_asks or not is_same) and redis.call('EXISTS', to) == 1 then
    return { 'in use' }
end

-- Of one user's data nothing goes over to another: their session begins empty.
local handover = user and not is_same
if seal and not handover then
    -- The new token opens no seal but one that was made for it.
    local resealed = false
    for n = 10, changes - 1, 2 do
        resealed = resealed or ARGV[n] == '\0w'
    end
    if not resealed then
        return { 'ended' }
    end
end
local last, limit = last_of(changes), tonumber(ARGV[6])
size = size_after(handover and to or from, handover and 0 or size, changes, last, limit)
if size > limit then
    return { 'too large', size }
elseif only_asks then
    return version
elseif handover then
    redis.call('DEL', from)
elseif redis.call('RENAMENX', from, to) == 0 then
    return { 'in use' }
end

version = version + 1
local times, terms, left
if login then
    times, terms, left = struct.pack('>I6I6I6I6', time, time, time, time + ARGV[2]), ARGV[4], ARGV[3]
    if about and not handover then
        redis.call('HDEL', to, '\0a')
    end
else
    local now = struct.pack('>I6', time)
    times, terms = now .. string.sub(head, 20, 25) .. now .. string.sub(head, 32, 37), string.sub(head, 38)
    left = math.min(idle, stop - time)
end
change(to, struct.pack('>BI6I6', 1, version, size) .. times .. terms, changes, last)
if changes > 10 then
    redis.call('HSET', to, unpack(ARGV, 10, changes - 1))
end
if not is_same and ARGV[5] ~= '' then
    redis.call('HSET', to, '\0u', string.sub(ARGV[5], 2))
end
redis.call('PEXPIRE', to, left)

redis.call('HSET', from, '\0h', marker(time, login, id, ARGV[8]))
redis.call('PEXPIRE', from, '300000')
announce(from, not login and id)
return version
