-- Lets a claim hold for a whole lease again.
-- KEYS: 1 the work
-- ARGV: 1 the claim  2 its lease (ms)
-- Returns {'done'} or {'ended'}

local work = at(KEYS[1])
if not work.held or work.claim ~= ARGV[1] then
    return { 'ended' }
end
redis.call('HSET', KEYS[1], 'until', work.time + ARGV[2])
return { 'done' }
