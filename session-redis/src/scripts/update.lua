-- Changes a session's data.
-- KEYS: 1 the session
-- ARGV: 1 '1' if it is activity too, else '0'  2 the largest size allowed  3 which argument is the changes' first
--       if that is not the next, 4 the seal, if there is none yet, or ''
--         5 what is expected of a key: '' nothing, '=' that it has a value, '-' that it has none
--         6 that key or ''  7 that value or ''
--       then how many keys are set, each key and its value, the keys removed
-- Returns the version, {'ended'}, {'locked'}, {'moved', the id that came after}, {'conflict', value or nil} or
--         {'too large', size}

local key, changes = KEYS[1], tonumber(ARGV[3])
local has_more = changes > 4

local record = at(key)
if record.kind == 'moved' and not record.by_login then
    return { 'moved', record.successor }
elseif record.kind ~= 'live' then
    return { 'ended' }
elseif record.locked then
    return { 'locked' }
end

if has_more and ARGV[5] ~= '' then
    local current = redis.call('HGET', key, ARGV[6])
    if current ~= (ARGV[5] == '=' and ARGV[7]) then
        return { 'conflict', current }
    end
end

local size = size_after(key, record, changes)
if size > tonumber(ARGV[2]) then
    return { 'too large', size }
end

if has_more and ARGV[4] ~= '' then
    redis.call('HSETNX', key, '\0w', ARGV[4])
end
local is_activity = ARGV[1] == '1'
if is_activity then
    record.seen = record.time
end
change(key, record, changes, size)
if is_activity then
    expire(key, record)
end
return record.version
