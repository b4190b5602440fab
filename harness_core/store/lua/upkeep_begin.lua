-- Takes, or keeps, the right to do the maintenance, so that not every worker does it.
-- ARGV 2 worker 3 ms the right lasts
-- Replies: ours | wait, ms until it is worth asking again
local u = redis.call('HMGET', key.upkeep(), 'worker', 'until', 'due')
local held = tonumber(u[2] or 0) - now()
if held > 0 and u[1] ~= ARGV[2] then return { 'wait', math.ceil(held) } end
local early = tonumber(u[3] or 0) - now()
if held <= 0 and early > 0 then return { 'wait', math.ceil(early) } end
redis.call('HSET', key.upkeep(), 'worker', ARGV[2], 'until', integer(now() + tonumber(ARGV[3])))
return { 'ours' }
