-- Gives a session a new id, makes changes to it, and leaves a marker at the old id for five minutes. A login
-- as somebody else leaves the data behind.
-- KEYS: 1 the session  2 the same under its new id, in the same slot
-- ARGV: 1 the new id  2 '1' if it is a login, else '0'  3 and 4 then the idle and the absolute timeout (ms), else ''
--       5 '1' if there is a user, else '0'  6 the user or ''  7 the largest size allowed
--       8 '1' if it is only asked whether it can be done, else '0'
--       9 the nonce of a renewal by time, else ''
--       10 how many fields that are none of the data are set  then each field and its value
--       then how many keys are set, each key and its value, the keys removed
-- Returns {'done', version}, also if it was done before, {'ended'}, {'locked'}, {'in use'} or {'too large', size}

local from, to = KEYS[1], KEYS[2]
local login = ARGV[2] == '1'
local user = ARGV[5] == '1' and ARGV[6]
local changes = 11 + 2 * tonumber(ARGV[10])

local record = at(from)
if record.kind == 'moved' and record.successor == ARGV[1] then
    local renewed = at(to)
    if renewed.kind == 'live' then
        return { 'done', renewed.version }
    end
end
if record.kind ~= 'live' or (not login and record.user ~= user) then
    return { 'ended' }
elseif record.locked and not login then
    return { 'locked' }
elseif redis.call('EXISTS', to) == 1 then
    return { 'in use' }
end

-- Of one user's data nothing goes over to another: their session begins empty.
local handover = login and record.user and record.user ~= user
local base = handover and to or from
if handover then
    record.size = 0
elseif redis.call('HEXISTS', from, '\0w') == 1 then
    -- The new token opens no seal but one that was made for it.
    local resealed = false
    for n = 11, changes - 1, 2 do
        resealed = resealed or ARGV[n] == '\0w'
    end
    if not resealed then
        return { 'ended' }
    end
end
local size = size_after(base, record, changes)
if size > tonumber(ARGV[7]) then
    return { 'too large', size }
end

if ARGV[8] == '1' then
    return { 'done', record.version }
elseif handover then
    redis.call('DEL', from)
    redis.call('HSET', to, '\0f', '1')
else
    redis.call('RENAME', from, to)
end
change(to, record, changes, size)
if login then
    record.idle, record.stop = tonumber(ARGV[3]), record.time + tonumber(ARGV[4])
    redis.call('HDEL', to, '\0a', '\0k', '\0r', '\0t')
    redis.call('HSET', to, '\0c', digits(record.time), '\0i', ARGV[3], '\0e', digits(record.stop))
    if user then
        redis.call('HSET', to, '\0u', user)
    end
else
    redis.call('HSET', to, '\0t', digits(record.time))
end
in_chunks('HSET', to, 11, changes - 1)
touch(to, record)

redis.call('HSET', from, '\0m', ARGV[1], '\0l', ARGV[2], '\0s', digits(record.time))
if ARGV[9] ~= '' then
    redis.call('HSET', from, '\0n', ARGV[9])
end
redis.call('PEXPIRE', from, 300000)
announce(from, not login and ARGV[1])
return { 'done', record.version }
