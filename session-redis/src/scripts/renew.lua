-- Gives a session a new id, makes changes to it, and leaves a marker at the old id for five minutes. A login
-- as somebody else leaves the data behind.
-- KEYS: 1 the session  2 the same under its new id, in the same slot
-- ARGV: 1 the new id  2 '1' if it is a login, else '0'  3, 4 and 5 then the idle and the absolute timeout (ms) and the
--       terms, else ''  6 the owner  7 the largest size allowed
--       8 '1' if it is only asked whether it can be done, else '0'
--       9 the nonce of a renewal by time, else ''
--       10 how many fields that are none of the data are set  then each field and its value
--       then how many keys are set, each key and its value, the keys removed
-- Returns the version, also if it was done before, {'ended'}, {'locked'}, {'in use'} or {'too large', size}

local from, to = KEYS[1], KEYS[2]
local login, owner = ARGV[2] == '1', ARGV[6]
local changes = 11 + 2 * ARGV[10]

local record = at(from)
if record.kind == 'moved' and record.successor == ARGV[1] then
    local renewed = at(to)
    if renewed.kind == 'live' then
        return renewed.version
    end
end
local was_owner = record.kind == 'live' and string.sub(record.head, 56)
if not was_owner or (not login and was_owner ~= owner) then
    return { 'ended' }
elseif record.locked and not login then
    return { 'locked' }
elseif redis.call('EXISTS', to) == 1 then
    return { 'in use' }
end

-- Of one user's data nothing goes over to another: their session begins empty.
local handover = login and string.byte(was_owner) == 1 and was_owner ~= owner
local base = handover and to or from
if not handover and redis.call('HEXISTS', from, '\0w') == 1 then
    -- The new token opens no seal but one that was made for it.
    local resealed = false
    for n = 11, changes - 1, 2 do
        resealed = resealed or ARGV[n] == '\0w'
    end
    if not resealed then
        return { 'ended' }
    end
end
local size = size_after(base, handover and 0 or record.size, changes)
if size > tonumber(ARGV[7]) then
    return { 'too large', size }
end

if ARGV[8] == '1' then
    return record.version
elseif handover then
    redis.call('DEL', from)
else
    redis.call('RENAME', from, to)
end
local time, version = record.time, record.version + 1
local created, idle, stop, terms = record.created, record.idle, record.stop, string.sub(record.head, 44, 55)
if login then
    created, idle, stop, terms = time, tonumber(ARGV[3]), time + ARGV[4], ARGV[5]
    redis.call('HDEL', to, '\0a')
end
local numbers = struct.pack('>BI6I6I6I6I6I6I6', 1, version, time, size, created, idle, stop, time)
change(to, numbers .. terms .. owner, changes)
if changes > 11 then
    redis.call('HSET', to, unpack(ARGV, 11, changes - 1))
end
redis.call('PEXPIRE', to, math.min(idle, stop - time))

redis.call('HSET', from, '\0h', marker(time, login, ARGV[1], ARGV[9]))
redis.call('PEXPIRE', from, '300000')
announce(from, not login and ARGV[1])
return version
