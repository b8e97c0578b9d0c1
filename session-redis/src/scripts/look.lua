-- Tells what has become of a session.
-- KEYS: 1 the session
-- ARGV: 1 '0'
-- Returns {'done', how long it lives and is not locked if nobody uses it (ms)}, or what `open.lua` answers

local left = redis.call('PTTL', key)
if left == -1 then
    -- Its time to live was taken away.
    left = struct.unpack('>I6', head, 32) - now()
    if left <= 0 then
        return { 'ended' }
    end
end
if has_lock then
    left = math.min(left, seen + lock - time)
end
return { 'done', left }
