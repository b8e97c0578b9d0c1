-- What the scripts know of sessions that begin. It stands before the text of each script that begins one.

local function terms_of(record)
    return string.sub(record.rest, 25, 36)
end

local function owner_of(record)
    return string.sub(record.rest, 37)
end

-- Gives a record what stays as it is until a renewal.
local function settle(record, created, idle, stop, renewed, terms, owner)
    record.created, record.idle, record.stop = created, idle, stop
    record.rest = struct.pack('>I6I6I6I6', created, idle, stop, renewed) .. terms .. owner
end
