-- A run that was left where its worker was lost may go on.
-- ARGV 2 run
-- Replies: ok | not_held, state | missing
local run = ARGV[2]
local r = redis.call('HMGET', key.run(run), 'tenant', 'state', 'held')
if not r[1] then return { 'missing' } end
if not r[3] then return { 'not_held', r[2] } end
redis.call('HDEL', key.run(run), 'held')
make_ready(run, r[1], now() - FRONT)
return { 'ok' }
