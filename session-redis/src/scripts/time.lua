-- What all scripts know of time. It stands before the text of each.
--
-- Times are handed to commands as the numbers they are: the server writes whole ones out in full, as Lua would not.

-- The server's time in milliseconds since 1970. It may go on while a script runs, so a script that judges by it asks
-- once.
local function now()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
end
