-- What the scripts know of changes to a session's data. It stands before the text of each script that makes some.
--
-- The changes are the end of ARGV, from `first` on: how many keys are set, each key and its value, the keys removed.

-- Bytes that `name` and its value take now.
local function room(key, name)
    local length = redis.call('HSTRLEN', key, name)
    if length == 0 and redis.call('HEXISTS', key, name) == 0 then
        return 0
    end
    return #name + length
end

-- The size of the record after the changes.
local function size_after(key, record, first)
    local last = first + 2 * ARGV[first]
    local size = record.size
    for i = first + 1, last, 2 do
        size = size + #ARGV[i] + #ARGV[i + 1] - room(key, ARGV[i])
    end
    for i = last + 1, #ARGV do
        size = size - room(key, ARGV[i])
    end
    return size
end

-- Makes the changes, after which the record has this size, and counts a version.
local function change(key, record, first, size)
    local last = first + 2 * ARGV[first]
    record.version, record.size = record.version + 1, size
    write(key, record, first + 1, last)
    in_chunks('HDEL', key, last + 1, #ARGV)
end
