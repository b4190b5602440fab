-- Takes or renews the right to write a tenant's messages. Each new owner gets a higher epoch.
-- ARGV 2 tenant 3 worker 4 ms
-- Replies: owned, epoch | taken, by
local tenant, worker = ARGV[2], ARGV[3]
local o = redis.call('HMGET', key.owner(tenant), 'worker', 'epoch', 'until')
local live = o[3] and tonumber(o[3]) > now()
if live and o[1] ~= worker then return { 'taken', o[1] } end
local epoch = tonumber(o[2] or 0)
if not live then epoch = epoch + 1 end
redis.call('HSET', key.owner(tenant), 'worker', worker, 'epoch', epoch, 'until', integer(now() + tonumber(ARGV[4])))
return { 'owned', epoch }
