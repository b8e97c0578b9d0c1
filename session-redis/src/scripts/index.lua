-- What the scripts know of the sorted set that lists a user's sessions. It stands before the text of each script that
-- handles one.
--
-- Its members are the ids of sessions, scored by the absolute end (milliseconds since 1970), or by a later time, or up
-- to half a minute before. A session is listed before
-- it is made, so a member may be one whose session is not there yet: while '+' and the id is a member too, whose
-- score is still to come, the id is young and must stay. Who makes the session ends its youth.
--
-- It has no TTL: servers that are short of memory remove keys with one first.

-- Up to where a score is past for good at this time. It may be by another clock that is a little late, hence the minute.
local function past(time)
    return time - 60000
end
