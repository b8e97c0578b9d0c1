-- How the scripts write a record. It stands before the text of each script that writes more than its head.

-- Writes the head, and with it the fields and values that ARGV has from `first` to `last`.
local function write(key, head, first, last)
    -- unpack() fails from about 8000 values on.
    local most = math.min(last, first + 999)
    redis.call('HSET', key, '\0h', head, unpack(ARGV, first, most))
    for i = most + 1, last, 1000 do
        redis.call('HSET', key, unpack(ARGV, i, math.min(i + 999, last)))
    end
end
