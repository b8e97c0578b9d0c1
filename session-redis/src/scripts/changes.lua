-- What the scripts know of changes to a session's data. It stands before the text of each script that makes some.
--
-- The changes are the end of ARGV, from `first` on: how many keys are set, each key and its value, the keys removed.

-- What a record of this size, at `key`, comes to by the changes.
local function size_after(key, size, first)
    local last = first + 2 * ARGV[first]
    local i = first + 1
    while i <= #ARGV do
        local name = ARGV[i]
        local length = redis.call('HSTRLEN', key, name)
        if length > 0 or redis.call('HEXISTS', key, name) == 1 then
            size = size - #name - length
        end
        if i < last then
            size = size + #name + #ARGV[i + 1]
            i = i + 1
        end
        i = i + 1
    end
    -- Not less, if what is there was changed by hand.
    return math.max(size, 0)
end

-- Makes the changes, after which the record has this head.
local function change(key, head, first)
    local last = first + 2 * ARGV[first]
    write(key, head, first + 1, last)
    for i = last + 1, #ARGV, 1000 do
        redis.call('HDEL', key, unpack(ARGV, i, math.min(i + 999, #ARGV)))
    end
end
