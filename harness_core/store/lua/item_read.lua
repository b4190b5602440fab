-- Long-term items by name, and, where asked, a new lease of life for those that expire.
-- ARGV 2 tenant 3 '1' = start their time to live anew 4… names
-- Replies: for each {value, vectors, created, updated, ttl}, or {} when it is not there
local tenant = ARGV[2]
local due = key.items_due(tenant)
local found = {}
for i = 4, #ARGV do
  local item = key.item(tenant, ARGV[i])
  local row = redis.call('HMGET', item, 'value', 'vectors', 'created', 'updated', 'ttl')
  local till = redis.call('ZSCORE', due, ARGV[i])
  if not row[1] or (till and tonumber(till) <= now()) then
    row = {}
  elseif ARGV[3] == '1' and row[5] ~= '' then
    redis.call('PEXPIRE', item, row[5])
    redis.call('ZADD', due, integer(now() + row[5]), ARGV[i])
  end
  found[#found + 1] = row
end
return found
