-- What the scripts know of the hash at a session's key. It stands before the text of each script that handles one.
--
-- A record has a field for each key of the session's data, and these, which begin with NUL as no key of the data may:
--   \0f  the format of the record: 1
--   \0v  its version
--   \0u  its user; a visitor's has none
--   \0c  when it was created    \0s  when it was last seen    \0e  its absolute end      (milliseconds since 1970)
--   \0i  its idle timeout       (milliseconds)
--   \0k  how long after it was last seen it is locked (milliseconds); one that never is has none
--   \0r  how old its token becomes before it is renewed (milliseconds); one that never is has none
--   \0t  when it was renewed, but by no login since: else it got its token when it was created
--   \0a  what its login said of itself (JSON), if anything    \0w  its seal, if it has one
--   \0z  the size of all keys and values (bytes)
-- A marker has only these:
--   \0m  the id that came after
--   \0l  1 if by a login, else 0
--   \0s  when it was renewed
--   \0n  what makes the next token out of the old one (16 bytes), if it was by time

local function number(field)
    return field and string.match(field, '^%d+$') and tonumber(field)
end

-- What is at `key`. `kind` is 'live' for a record, 'moved' for a marker, 'none' for anything else.
local function at(key)
    local field = redis.pcall('HMGET', key, '\0f', '\0v', '\0u', '\0i', '\0e', '\0z', '\0m', '\0l', '\0s', '\0k')
    if field.err then
        return { kind = 'none' }
    end
    if field[7] then
        return { kind = 'moved', successor = field[7], by_login = field[8] ~= '0' }
    end
    local record = {
        kind = 'live',
        -- What is judged, and what is written, is judged and written by this one look at the clock.
        time = now(),
        version = number(field[2]),
        user = field[3],
        idle = number(field[4]),
        stop = number(field[5]),
        size = number(field[6]),
    }
    record.locked = field[10] and (number(field[9]) or 0) + (number(field[10]) or 0) <= record.time
    local whole = field[1] == '1' and record.version and record.idle and record.stop and record.size
    if not whole or record.stop <= record.time then
        record.kind = 'none'
    end
    return record
end

-- Tells all instances that the session is over, or under which id it goes on. Where the user of the server's may not
-- publish, instances look for themselves: so nothing fails of what this tells.
local function announce(key, successor)
    local id = string.sub(key, -32)
    redis.pcall('PUBLISH', string.match(key, '^[^{]*') .. 'changes', successor and id .. '>' .. successor or id)
end

-- Starts the idle timeout again.
local function touch(key, record)
    redis.call('HSET', key, '\0s', digits(record.time))
    redis.call('PEXPIRE', key, digits(math.min(record.idle, record.stop - record.time)))
end

-- Bytes that `name` and its value take now.
local function room(key, name)
    local length = redis.call('HSTRLEN', key, name)
    if length == 0 and redis.call('HEXISTS', key, name) == 0 then
        return 0
    end
    return #name + length
end

-- The changes are the end of ARGV, from `first` on: how many keys are set, each key and its value, the keys removed.

-- The size of the record after the changes.
local function size_after(key, record, first)
    local last = first + 2 * tonumber(ARGV[first])
    local size = record.size
    for i = first + 1, last, 2 do
        size = size + #ARGV[i] + #ARGV[i + 1] - room(key, ARGV[i])
    end
    for i = last + 1, #ARGV do
        size = size - room(key, ARGV[i])
    end
    return size
end

-- unpack() fails from about 8000 values on.
local function in_chunks(command, key, first, last)
    for i = first, last, 1000 do
        redis.call(command, key, unpack(ARGV, i, math.min(i + 999, last)))
    end
end

-- Makes the changes, after which the record has this size, and counts a version.
local function change(key, record, first, size)
    local last = first + 2 * tonumber(ARGV[first])
    in_chunks('HSET', key, first + 1, last)
    in_chunks('HDEL', key, last + 1, #ARGV)
    record.version = record.version + 1
    redis.call('HSET', key, '\0v', digits(record.version), '\0z', digits(size))
end
