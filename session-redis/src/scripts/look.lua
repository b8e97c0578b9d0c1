-- Tells what has become of a session.
-- KEYS: 1 the session
-- Returns {'done', how long it lives and is not locked if nobody uses it (ms)}, {'moved', the id that came after},
--         {'locked'} or {'ended'}

local record = at(KEYS[1])
if record.kind == 'moved' and not record.by_login then
    return { 'moved', record.successor }
elseif record.kind ~= 'live' then
    return { 'ended' }
elseif record.locked then
    return { 'locked' }
end
local left = redis.call('PTTL', KEYS[1])
if record.lock > 0 then
    left = math.min(left, record.seen + record.lock - record.time)
end
return { 'done', left }
