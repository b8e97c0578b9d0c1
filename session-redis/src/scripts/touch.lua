-- Starts a session's idle timeout again.
-- KEYS: 1 the session
-- ARGV: 1 '1'
-- Returns 1, or what `open.lua` answers

redis.call('HSET', key, '\0h', string.sub(head, 1, 13) .. struct.pack('>I6', time) .. string.sub(head, 20))
redis.call('PEXPIRE', key, math.min(idle, stop - time))
return 1
