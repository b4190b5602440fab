-- One checkpoint with the channel values it brings. Values are stored once per channel and version.
-- ARGV 2 fenced '1'/'0' 3 tenant 4 conversation 5 run 6 epoch 7 thread 8 namespace 9 checkpoint id 10 header
--      11… blob field, blob, blob field, blob …
-- Replies: ok | fenced
local thread, ns = ARGV[7], ARGV[8]
if ARGV[2] == '1' then
  if not holds(ARGV[5], ARGV[3], ARGV[4], ARGV[6]) then return { 'fenced' } end
  redis.call('HSET', key.run(ARGV[5]), 'attempts', 0)
end
redis.call('HSET', key.ck_headers(thread, ns), ARGV[9], ARGV[10])
-- In the order in which they came: their ids tell the time of the workers, whose clocks differ.
local ids = key.ck_ids(thread, ns)
local newest = tonumber(redis.call('ZRANGE', ids, -1, -1, 'WITHSCORES')[2] or 0)
redis.call('ZADD', ids, 'NX', integer(newest + 1), ARGV[9])
redis.call('SADD', key.ck_namespaces(thread), ns)
for i = 11, #ARGV, 2 do redis.call('HSETNX', key.ck_blobs(thread, ns), ARGV[i], ARGV[i + 1]) end
return { 'ok' }
