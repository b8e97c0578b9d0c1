-- Tells what has become of a session.
-- KEYS: 1 the session
-- Returns {'done', how long it lives if nobody uses it (ms)}, {'moved', the id that came after} or {'ended'}

local record = at(KEYS[1])
if record.kind == 'moved' and not record.by_login then
    return { 'moved', record.successor }
elseif record.kind ~= 'live' then
    return { 'ended' }
end
return { 'done', redis.call('PTTL', KEYS[1]) }
