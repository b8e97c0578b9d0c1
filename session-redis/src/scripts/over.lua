-- What the scripts know of sessions that are over. It stands before the text of each script that ends one.

-- The head of a marker that leads to this id, or nowhere.
local function marker(time, by_login, successor, nonce)
    return struct.pack('>BBI6', 2, by_login and 1 or 0, time) .. successor .. nonce
end

-- Tells all instances that the session is over, or under which id it goes on. Where the user of the server's may not
-- publish, instances look for themselves: so nothing fails of what this tells.
local function announce(key, successor)
    local id = string.sub(key, -32)
    -- The key ends with the shard tag in braces, a colon and the id.
    redis.pcall('PUBLISH', string.sub(key, 1, -40) .. 'changes', successor and id .. '>' .. successor or id)
end
