-- Pending writes of one task. Ordinary ones are kept as first written, special ones are replaced.
-- ARGV 2 fenced '1'/'0' 3 tenant 4 conversation 5 run 6 epoch 7 thread 8 namespace 9 checkpoint id
--      10… replace '1'/'0', field, value …
-- Replies: ok | fenced
local thread, ns = ARGV[7], ARGV[8]
if ARGV[2] == '1' and not holds(ARGV[5], ARGV[3], ARGV[4], ARGV[6]) then return { 'fenced' } end
redis.call('SADD', key.ck_namespaces(thread), ns)
local writes = key.ck_writes(thread, ns, ARGV[9])
for i = 10, #ARGV, 3 do
  redis.call(ARGV[i] == '1' and 'HSET' or 'HSETNX', writes, ARGV[i + 1], ARGV[i + 2])
end
return { 'ok' }
