-- Starts a session's idle timeout again.
-- KEYS: 1 the session
-- Returns the version, or what `open.lua` answers

redis.call('HSET', key, '\0h', struct.pack('>BI6I6', 1, version, time) .. string.sub(head, 14))
redis.call('PEXPIRE', key, math.min(idle, stop - time))
return version
