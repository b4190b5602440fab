-- Removes checkpoints, and the values that only they used, of a thread that nobody works on.
-- ARGV 2 tenant 3 conversation 4 epoch it had when it was looked at 5 thread 6 namespace 7 how many checkpoints
--      8… their ids, then fields of values
-- Replies: ok, checkpoints that went, values that went | busy
local tenant, conversation, thread, ns = ARGV[2], ARGV[3], ARGV[5], ARGV[6]
local epoch = redis.call('HGET', key.conversation(tenant, conversation), 'epoch') or '0'
if epoch ~= ARGV[4] or redis.call('EXISTS', key.inbox(tenant, conversation)) == 1 then return { 'busy' } end
local ids, values = 0, 0
local last = 7 + tonumber(ARGV[7])
for i = 8, last do
  redis.call('HDEL', key.ck_headers(thread, ns), ARGV[i])
  ids = ids + redis.call('ZREM', key.ck_ids(thread, ns), ARGV[i])
  redis.call('UNLINK', key.ck_writes(thread, ns, ARGV[i]))
end
for i = last + 1, #ARGV do values = values + redis.call('HDEL', key.ck_blobs(thread, ns), ARGV[i]) end
if redis.call('EXISTS', key.ck_ids(thread, ns), key.ck_blobs(thread, ns)) == 0 then
  redis.call('SREM', key.ck_namespaces(thread), ns)
end
return { 'ok', ids, values }
