-- Writes and forgets long-term items, all or none. An item that is written again keeps the time it was created.
-- ARGV 2 tenant 3… for each: 'put'/'forget', name, sealed value, sealed vectors, ms to live ('' = for good)
-- Replies: ok
local tenant = ARGV[2]
local index, due = key.items(tenant), key.items_due(tenant)
for i = 3, #ARGV, 5 do
  local name, ttl = ARGV[i + 1], ARGV[i + 4]
  local item = key.item(tenant, name)
  local till = redis.call('ZSCORE', due, name)
  if ARGV[i] == 'forget' or (till and tonumber(till) <= now()) then redis.call('DEL', item) end
  if ARGV[i] == 'forget' then
    redis.call('ZREM', index, name)
    redis.call('ZREM', due, name)
  else
    redis.call('HSETNX', item, 'created', integer(now()))
    redis.call('HSET', item, 'value', ARGV[i + 2], 'vectors', ARGV[i + 3], 'updated', integer(now()), 'ttl', ttl)
    redis.call('ZADD', index, 0, name)
    if ttl == '' then
      redis.call('PERSIST', item)
      redis.call('ZREM', due, name)
    else
      redis.call('PEXPIRE', item, ttl)
      redis.call('ZADD', due, integer(now() + ttl), name)
    end
  end
end
return { 'ok' }
