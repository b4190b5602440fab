-- Asks for the messages of a run to be looked at again.
-- ARGV 2 run
-- Replies: ok | missing
local run = ARGV[2]
local r = redis.call('HMGET', key.run(run), 'tenant', 'created_at', 'ended_at')
if not r[1] then return { 'missing' } end
redis.call('ZADD', key.dirty(r[1]), 'NX', integer(r[3] and r[3] - FRONT or r[2]), run)
return { 'ok' }
