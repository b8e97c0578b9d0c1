-- Opens the record at KEYS[1], which `record.lua` describes. It stands before the text of each script that handles one
-- record if it lives, and answers for the others: {'ended'}, {'locked'}, or {'moved', the id that came after}.
--
-- It is no function, and these scripts return numbers where others return {'done'}, for they run most: a function costs
-- the server a fifth of a command to make, and a table of two a whole one.

local key = KEYS[1]
local head = redis.pcall('HGET', key, '\0h')
if type(head) ~= 'string' then
    return { 'ended' }
end
local format = string.byte(head)
if format == 2 and #head >= 40 and string.byte(head, 2) == 0 then
    return { 'moved', string.sub(head, 9, 40) }
elseif format ~= 1 or #head < 56 then
    return { 'ended' }
end
local _, version, seen, size, _, idle, stop, _, lock = struct.unpack('>BI6I6I6I6I6I6I6I6', head)
-- What is judged, and what is written, is judged and written by this one look at the clock.
local time = now()
if stop <= time then
    return { 'ended' }
elseif lock > 0 and seen + lock <= time then
    return { 'locked' }
end
