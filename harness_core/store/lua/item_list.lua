-- The names of long-term items in a range, in order. What has expired leaves the index here.
-- ARGV 2 tenant 3 lowest 4 highest, as ZRANGE BYLEX spells them 5 how many
-- Replies: name, name, …
local tenant = ARGV[2]
local index, due = key.items(tenant), key.items_due(tenant)
for _, name in ipairs(redis.call('ZRANGE', due, '-inf', integer(now()), 'BYSCORE', 'LIMIT', 0, 1000)) do
  redis.call('DEL', key.item(tenant, name))
  redis.call('ZREM', index, name)
  redis.call('ZREM', due, name)
end
return redis.call('ZRANGE', index, ARGV[3], ARGV[4], 'BYLEX', 'LIMIT', 0, ARGV[5])
