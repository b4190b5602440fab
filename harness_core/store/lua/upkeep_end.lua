-- Gives the right to do the maintenance back, and says when the next is due.
-- ARGV 2 worker 3 ms until then
-- Replies: ok | lost
if redis.call('HGET', key.upkeep(), 'worker') ~= ARGV[2] then return { 'lost' } end
redis.call('HSET', key.upkeep(), 'until', 0, 'due', integer(now() + tonumber(ARGV[3])))
return { 'ok' }
