-- Opens the record at KEYS[1], which `record.lua` describes. It stands before the text of each script that handles one
-- record if it lives, and answers for the others: {'ended'}, {'locked'}, or {'moved', the id that came after}.
-- ARGV: 1 '1' if the session is used by this, so that its idle timeout starts again, else '0'
--
-- It is no function, and these scripts return numbers where others return {'done'}, for they run most: a table of two
-- costs the server as much as a whole command to make, and what asks for the time twice that. So the time is asked for
-- where something depends on it: a session that is not used and has no lock lives as long as its key.

local key, is_activity = KEYS[1], ARGV[1] == '1'
local head = redis.pcall('HGET', key, '\0h')
if type(head) ~= 'string' then
    return { 'ended' }
end
local format = string.byte(head)
if format == 2 and #head >= 40 and string.byte(head, 2) == 0 then
    return { 'moved', string.sub(head, 9, 40) }
elseif format ~= 1 or #head < 55 then
    return { 'ended' }
end
local has_lock = string.sub(head, 44, 49) ~= '\0\0\0\0\0\0'
-- What is judged, and what is written, is judged and written by this one look at the clock.
local time, seen, stop, idle, lock
if is_activity or has_lock then
    time = now()
    seen = struct.unpack('>I6', head, 14)
    stop, idle, lock = struct.unpack('>I6I6I6', head, 32)
    if stop <= time then
        return { 'ended' }
    elseif has_lock and seen + lock <= time then
        return { 'locked' }
    end
end
