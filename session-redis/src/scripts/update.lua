-- Changes a session's data.
-- KEYS: 1 the session
-- ARGV: 1 '1' if it is activity too, else '0'  2 the largest size allowed
--       3 what is expected of a key: '' nothing, '=' that it has a value, '-' that it has none
--       4 that key or ''  5 that value or ''  6 the seal, if there is none yet, or ''
--       7 how many keys are set  then each key and its value, the keys removed
-- Returns {'done', version}, {'ended'}, {'locked'}, {'moved', the id that came after}, {'conflict', value or nil} or
--         {'too large', size}

local key = KEYS[1]

local record = at(key)
if record.kind == 'moved' and not record.by_login then
    return { 'moved', record.successor }
elseif record.kind ~= 'live' then
    return { 'ended' }
elseif record.locked then
    return { 'locked' }
end

if ARGV[3] ~= '' then
    local current = redis.call('HGET', key, ARGV[4])
    if current ~= (ARGV[3] == '=' and ARGV[5]) then
        return { 'conflict', current }
    end
end

local size = size_after(key, record, 7)
if size > tonumber(ARGV[2]) then
    return { 'too large', size }
end

if ARGV[6] ~= '' then
    redis.call('HSETNX', key, '\0w', ARGV[6])
end
change(key, record, 7, size)
if ARGV[1] == '1' then
    touch(key, record)
end
-- A connection that has read the key is to hear of the next change, and this one made the server forget that.
redis.call('HLEN', key)
return { 'done', record.version }
