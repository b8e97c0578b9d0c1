-- Starts a session's idle timeout again.
-- KEYS: 1 the session
-- Returns {'done'}, {'ended'} or {'locked'}

local record = at(KEYS[1])
if record.kind ~= 'live' then
    return { 'ended' }
elseif record.locked then
    return { 'locked' }
end
touch(KEYS[1], record)
return { 'done' }
