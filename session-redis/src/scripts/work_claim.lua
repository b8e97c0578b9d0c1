-- Claims work.
-- KEYS: 1 the work
-- ARGV: 1 the claim  2 its lease (ms)
-- Returns {'done'}, also if it was claimed so before, {'in use'} if another claim holds, or {'finished'}

local work = at(KEYS[1])
if work.done then
    return { 'finished' }
elseif work.held and work.claim ~= ARGV[1] then
    return { 'in use' }
end
redis.call('HSET', KEYS[1], 'claim', ARGV[1], 'until', work.time + ARGV[2])
return { 'done' }
