-- The author of a message changed it: the text of what has not begun is replaced; a run at work reads a correction.
-- ARGV 2 tenant 3 name of the message 4 by 5 when it was changed, a number that grows
--      6 id of the message, for which 7 is sealed 7 sealed input 8 id of the correction 9 sealed correction
-- Replies: changed, run | corrected, run | nothing (unknown, over, or not the newest change)
local tenant, by, stamp = ARGV[2], ARGV[4], ARGV[5]
local value = redis.call('GET', key.seen(tenant, ARGV[3]))
if not value or parsed(value) ~= ARGV[6] then return { 'nothing' } end
local run, message = whereabouts(value)
local r = redis.call('HMGET', key.run(run), 'state', 'cancelled_by')
if not r[1] or over(r[1]) or r[2] then return { 'nothing' } end
local stored = message and key.steer(run, message) or key.run(run)
local last = redis.call('HGET', stored, 'edited')
if last and tonumber(last) >= tonumber(stamp) then return { 'nothing' } end
redis.call('HSET', stored, 'edited', stamp, 'input', ARGV[7])
if message and not taken(stored) or r[1] == 'queued' then
  emit(run, tenant, 'run.amended', 'P', cjson.encode({ by = by }))
  return { 'changed', run }
end
for _, id in ipairs(redis.call('LRANGE', key.steers(run), 0, -1)) do -- one that no model was told is out of date
  local said = key.steer(run, id)
  if redis.call('HGET', said, 'about') == ARGV[6] and not taken(said) then
    redis.call('LREM', key.steers(run), 1, id)
    redis.call('DEL', said)
  end
end
steer(run, tenant, ARGV[8], 'correction', by, { 'input', ARGV[9], 'about', ARGV[6] })
return { 'corrected', run }
