-- What all scripts know of time. It stands before the text of each.

-- The server's time in milliseconds since 1970. It may go on while a script runs, so a script that judges by it asks
-- once.
local function now()
    local time = redis.call('TIME')
    return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- The digits of a whole number. Lua's own conversion would round long ones.
local function digits(number)
    return string.format('%.0f', number)
end
