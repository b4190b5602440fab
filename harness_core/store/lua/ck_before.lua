-- The ids of the checkpoints that were written before another one, newest first.
-- ARGV 2 thread 3 namespace 4 checkpoint id, also one of another namespace 5 how many, -1 for all
-- Replies: id, id, …
local ids, bound, count = key.ck_ids(ARGV[2], ARGV[3]), ARGV[4], tonumber(ARGV[5])
local place = redis.call('ZREVRANK', ids, bound)
if place then
  return redis.call('ZRANGE', ids, integer(place + 1), count < 0 and -1 or integer(place + count), 'REV')
end
-- Two namespaces have nothing in common but the time in their ids.
local found = {}
for _, id in ipairs(redis.call('ZRANGE', ids, 0, -1, 'REV')) do
  if #found == count then break end
  if id < bound then found[#found + 1] = id end
end
return found
