-- Ends a session, or keeps one that is about to be made from being made.
-- KEYS: 1 the session
-- Returns {'done'}, or {'moved', the id that came after}

local record = at(KEYS[1])
if record.kind == 'moved' then
    if record.by_login then
        return { 'done' }
    end
    return { 'moved', record.successor }
end
-- A marker that leads nowhere: nothing is made where one is. It stands as long as a reservation is young.
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], '\0h', marker(now(), true, '', ''))
redis.call('PEXPIRE', KEYS[1], 60000)
if record.kind == 'live' then
    announce(KEYS[1])
end
return { 'done' }
