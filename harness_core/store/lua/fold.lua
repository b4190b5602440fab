-- Puts one sealed record in the place of an ended run's list of events; sequence numbers stay.
-- ARGV 2 run 3 events in the list that the record holds 4 events it holds in all 5 record 6 '1' = even if its
--      messages still lag
-- Replies: folded | live | lagging | changed (the list is another one by now) | missing
local run = ARGV[2]
local r = redis.call('HMGET', key.run(run), 'tenant', 'ended_at')
if not r[1] then
  redis.call('ZREM', key.unfolded(), run)
  return { 'missing' }
end
if not r[2] then return { 'live' } end
if ARGV[6] ~= '1' and redis.call('ZSCORE', key.dirty(r[1]), run) then return { 'lagging' } end
if redis.call('LLEN', key.events(run)) ~= tonumber(ARGV[3]) or event_count(run) ~= tonumber(ARGV[4]) then
  return { 'changed' }
end
redis.call('SET', key.folded(run), ARGV[5])
redis.call('HSET', key.run(run), 'folded', ARGV[4])
redis.call('DEL', key.events(run))
redis.call('ZREM', key.unfolded(), run)
return { 'folded' }
