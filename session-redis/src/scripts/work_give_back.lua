-- Frees work that this claim has.
-- KEYS: 1 the work
-- ARGV: 1 the claim
-- Returns {'done'}

local work = at(KEYS[1])
if work.claim == ARGV[1] and not work.done then
    redis.call('DEL', KEYS[1])
end
return { 'done' }
