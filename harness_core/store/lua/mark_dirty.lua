-- Asks for the messages of a run to be looked at again. Somebody may be looking already, at others than those that
-- are meant, so where the run is marked it is noted that one more look is wanted.
-- ARGV 2 run
-- Replies: ok | missing
local run = ARGV[2]
local r = redis.call('HMGET', key.run(run), 'tenant', 'created_at', 'ended_at')
if not r[1] then return { 'missing' } end
if redis.call('ZADD', key.dirty(r[1]), 'NX', integer(r[3] and r[3] - FRONT or r[2]), run) == 0 then
  redis.call('HSET', key.run(run), 'look_again', '1')
end
return { 'ok' }
