-- Records that work is done.
-- KEYS: 1 the work
-- ARGV: 1 the claim
-- Returns {'done'}, also if it was recorded before, or {'ended'}

local work = at(KEYS[1])
if work.claim ~= ARGV[1] or not (work.held or work.done) then
    return { 'ended' }
elseif work.held then
    redis.call('HSET', KEYS[1], 'done', work.time)
end
return { 'done' }
