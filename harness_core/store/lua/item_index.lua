-- Vectors that were made later, for items that still say what they said then.
-- ARGV 2 tenant 3… for each: name, updated, sealed vectors
-- Replies: ok
local tenant = ARGV[2]
for i = 3, #ARGV, 3 do
  local item = key.item(tenant, ARGV[i])
  if redis.call('HGET', item, 'updated') == ARGV[i + 1] then redis.call('HSET', item, 'vectors', ARGV[i + 2]) end
end
return { 'ok' }
