-- Tells what has become of a session.
-- KEYS: 1 the session
-- ARGV: 1 '0'
-- Returns {'done', how long it lives and is not locked if nobody uses it (ms)}, or what `open.lua` answers

local left = redis.call('PTTL', key)
if has_lock then
    left = math.min(left, seen + lock - time)
end
return { 'done', left }
