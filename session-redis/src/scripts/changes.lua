-- What the scripts know of changes to a session's data. It stands before the text of each script that makes some.
--
-- The changes are the end of ARGV, from `first` on: how many keys are removed, each key that is set and its value, the
-- keys removed. `last` is the last of the values.

local function last_of(first)
    local removed = ARGV[first]
    return removed == '0' and #ARGV or #ARGV - removed
end

-- What a record at `key`, whose size is this at most, comes to by the changes; at most, unless that is above the limit.
local function size_after(key, size, first, last, limit)
    for i = first + 1, last do
        size = size + #ARGV[i]
    end
    if size <= limit then
        return size
    end
    local sizes, fields = {}, redis.call('HGETALL', key)
    for i = 1, #fields, 2 do
        if string.byte(fields[i]) ~= 0 then
            sizes[fields[i]] = #fields[i] + #fields[i + 1]
        end
    end
    for i = first + 1, last, 2 do
        sizes[ARGV[i]] = #ARGV[i] + #ARGV[i + 1]
    end
    for i = last + 1, #ARGV do
        sizes[ARGV[i]] = nil
    end
    size = 0
    for _, one in pairs(sizes) do
        size = size + one
    end
    return size
end

-- Makes the changes, after which the record has this head.
local function change(key, head, first, last)
    write(key, head, first + 1, last)
    for i = last + 1, #ARGV, 1000 do
        redis.call('HDEL', key, unpack(ARGV, i, math.min(i + 999, #ARGV)))
    end
end
