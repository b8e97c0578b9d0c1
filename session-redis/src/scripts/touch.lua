-- Starts a session's idle timeout again.
-- KEYS: 1 the session
-- Returns {'done'} or {'ended'}

local record = at(KEYS[1])
if record.kind ~= 'live' then
    return { 'ended' }
end
touch(KEYS[1], record)
return { 'done' }
