-- What the scripts know of the hash at a session's key. It stands before the text of scripts that handle more than one;
-- `open.lua` is for those that handle one.
--
-- A record has a field for each key of the session's data, and these, which begin with NUL as no key of the data may:
--   \0h  its head
--   \0u  the user; a visitor's has none
--   \0a  what its login said of itself (JSON), if anything
--   \0w  its seal, if it has one
-- A marker has only a head. All numbers in a head are big-endian, of 6 bytes unless said otherwise, so that Lua's hold
-- each; times are milliseconds since 1970, lengths of time milliseconds.
--
-- The head of a record, by the first byte of each part. It is below 64 bytes: a longer field makes another kind of hash
-- of a small one, which is slower and takes twice the room.
--   1  the format of the record: 1 (1 byte)
--   2  its version    8  the size of all keys and values of its data (bytes), at most
--  14  when it was last seen    20  when it was created    26  when it got its token    32  its absolute end
--  38  its terms: its idle timeout, at 44 how long after it was last seen it is locked, and at 50 how old its token
--      becomes before it is renewed; 0 is never
--
-- The head of a marker:
--   1  the format of the marker: 2 (1 byte)    2  1 if it was by a login, else 0 (1 byte)    3  when it was renewed
--   9  the id that came after (32 digits); without one nothing is made where the marker is
--  41  what makes the next token out of the old one (16 bytes), if it was by time

-- What is at `key`. `kind` is 'live' for a record, 'moved' for a marker, 'none' for anything else.
local function at(key)
    local head = redis.pcall('HGET', key, '\0h')
    if type(head) ~= 'string' then
        return { kind = 'none' }
    end
    local format = string.byte(head)
    if format == 2 and #head >= 8 then
        local by_login = string.byte(head, 2) ~= 0 or #head < 40
        return { kind = 'moved', head = head, successor = string.sub(head, 9, 40), by_login = by_login }
    elseif format ~= 1 or #head < 55 then
        return { kind = 'none' }
    end
    return { kind = struct.unpack('>I6', head, 32) > now() and 'live' or 'none' }
end
