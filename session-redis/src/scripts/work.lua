-- What the scripts know of the hash that says how far some work is. It stands before the text of each script that
-- handles one.
--
--   claim  whose it is, or was when it was done
--   until  when the claim lapses  (milliseconds since 1970)
--   done   when it was done       (likewise); then the claim does not lapse
--
-- Without the hash, and with one that says nothing of this, the work is free. It has no TTL: servers that are short of
-- memory remove keys with one first, and what is done is done for good.

-- What is known of the work, and whether the claim that it has still holds.
local function at(key)
    local field = redis.call('HMGET', key, 'claim', 'until', 'done')
    local work = { claim = field[1], done = field[3], time = now() }
    work.held = not work.done and work.time < (tonumber(field[2]) or 0)
    return work
end
