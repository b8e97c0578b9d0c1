-- Starts a session's idle timeout again.
-- KEYS: 1 the session
-- Returns {'done'}, {'ended'} or {'locked'}

local key = KEYS[1]
local record = at(key)
if record.kind ~= 'live' then
    return { 'ended' }
elseif record.locked then
    return { 'locked' }
end
record.seen = record.time
write(key, record, 1, 0)
expire(key, record)
return { 'done' }
