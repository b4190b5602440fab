-- Gives the right to write a tenant's messages back before it runs out.
-- ARGV 2 tenant 3 worker 4 epoch
-- Replies: ok | lost
if not owns(ARGV[2], ARGV[3], ARGV[4]) then return { 'lost' } end
redis.call('HSET', key.owner(ARGV[2]), 'until', 0)
return { 'ok' }
