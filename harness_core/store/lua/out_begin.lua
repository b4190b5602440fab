-- Books one call to the platform and stores, before it is made, that its outcome is unknown.
-- The budget is a GCRA (https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm) with a burst, and a log of
-- the last 60 s, so that no sliding window of a minute ever holds more than the method allows.
-- ARGV 2 tenant 3 worker 4 epoch 5 run 6 part 7 delivery JSON 8 method 9 room or ''
--      10 calls per minute 11 burst 12 calls kept back for others 13 us between calls in one room
-- Replies: begun | wait, ms | known, external id of the message that the post brought after all | lost
local tenant, method, room = ARGV[2], ARGV[8], ARGV[9]
if not owns(tenant, ARGV[3], ARGV[4]) then return { 'lost' } end
if redis.call('EXISTS', key.run(ARGV[5])) == 0 then return { 'lost' } end -- removed meanwhile, no longer on the list

local known = known_message(ARGV[5], ARGV[6], cjson.decode(ARGV[7]))
if known then return { 'known', known } end

local closed = redis.call('PTTL', key.closed(tenant, method))
if closed > 0 then return { 'wait', closed } end

local us = now() * 1000
local per_minute, burst, keep = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local interval = 60000000 / per_minute
local due = math.max(tonumber(redis.call('GET', key.budget(tenant, method)) or 0), us)
local wait = due - us - math.max(burst - keep - 1, 0) * interval
local room_key = room ~= '' and key.room_budget(tenant, method, room)
local room_due = us
if room_key then
  room_due = math.max(tonumber(redis.call('GET', room_key) or 0), us)
  wait = math.max(wait, room_due - us)
end
local log = key.sends(tenant, method)
redis.call('ZREMRANGEBYSCORE', log, '-inf', integer(now() - 60000))
if redis.call('ZCARD', log) >= per_minute - keep then
  local place = redis.call('ZCARD', log) - (per_minute - keep)
  local blocking = redis.call('ZRANGE', log, place, place, 'WITHSCORES')
  wait = math.max(wait, (tonumber(blocking[2]) + 60001 - now()) * 1000)
end
if wait > 0 then return { 'wait', math.ceil(wait / 1000) } end

redis.call('SET', key.budget(tenant, method), integer(due + interval), 'PX', 120000)
if room_key then redis.call('SET', room_key, integer(room_due + tonumber(ARGV[13])), 'PX', 120000) end
redis.call('ZADD', log, integer(now()), ARGV[1] ~= '' and ARGV[1] or ARGV[5] .. ARGV[7])
redis.call('PEXPIRE', log, 61000)
redis.call('HSET', key.deliveries(ARGV[5]), ARGV[6], ARGV[7])
return { 'begun' }
