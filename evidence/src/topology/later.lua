local cursor, extended = '0', 0
repeat
    local page = redis.call('SCAN', cursor, 'MATCH', '*:{????}:*', 'COUNT', 1000)
    cursor = page[1]
    for _, key in ipairs(page[2]) do
        local head = redis.call('HGET', key, '\0h')
        if head and string.byte(head) == 1 and #head == 55 then
            redis.call('HSET', key, '\0h', head .. 'later', '\0later', 'later')
            extended = extended + 1
        end
    end
until cursor == '0'
return extended
