-- Ends a session.
-- KEYS: 1 the session  2 perhaps one to spare, in the same slot
-- Returns {'done'}, {'ended'} if it was not there, {'moved', the id that came after}, or {'spare', the id} that came
--         after the one to spare: whether that is another session than the first one has to be seen to, then try again

if KEYS[2] then
    local spared = at(KEYS[2])
    if spared.kind == 'moved' and not spared.by_login then
        return { 'spare', spared.successor }
    end
end

local record = at(KEYS[1])
if record.kind == 'moved' and not record.by_login then
    return { 'moved', record.successor }
elseif record.kind ~= 'live' then
    return { 'ended' }
end
redis.call('DEL', KEYS[1])
announce(KEYS[1])
return { 'done' }
