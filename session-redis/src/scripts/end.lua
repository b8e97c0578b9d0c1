-- Ends a session.
-- KEYS: 1 the session  2 perhaps one to spare, in the same slot
-- Returns {'over', the id that ended}, {'ended'} if it was not there, {'moved', the id that came after} if there is more
--         to follow, or {'spare', the id} that came after the one to spare: whether that is another session than the
--         first one has to be seen to, then try again
--
-- Without one to spare it follows renewals itself, up to a thousand, so that nobody renews faster than this ends. It
-- finds their keys on the way: they are not in KEYS, and are in the same slot.

if KEYS[2] then
    local spared = at(KEYS[2])
    if spared.kind == 'moved' and not spared.by_login then
        return { 'spare', spared.successor }
    end
end

local key, passed, most = KEYS[1], {}, KEYS[2] and 0 or 1000
local record = at(key)
while record.kind == 'moved' and not record.by_login and #passed < most do
    -- What is not here may be at another node, while the slot moves: it has to be asked for by its own key.
    if redis.pcall('EXISTS', string.sub(key, 1, -33) .. record.successor) ~= 1 then
        break
    end
    passed[#passed + 1] = { key = key, head = record.head }
    key = string.sub(key, 1, -33) .. record.successor
    record = at(key)
end
-- Whoever comes from a marker on the way has one step then: to end everyone is to come from each. A server that is out
-- of memory refuses it, and nothing fails of that.
for i = 1, #passed - 1 do
    local head = passed[i].head
    head = string.sub(head, 1, 8) .. string.sub(key, -32) .. string.sub(head, 41)
    redis.pcall('HSET', passed[i].key, '\0h', head)
end

if record.kind == 'moved' and not record.by_login then
    return { 'moved', record.successor }
elseif record.kind ~= 'live' then
    return { 'ended' }
end
redis.call('DEL', key)
announce(key)
return { 'over', string.sub(key, -32) }
