-- Stores the outcome of a call. Only the owner may; a former one marks the run as lagging again, and what its
-- message shows as unknown, since the call may have come after the new owner's and put an older text in its place.
-- ARGV 2 tenant 3 worker 4 epoch 5 run 6 part 7 delivery JSON 8 newest event shown 9 '1' if nothing is left to do
-- Replies: ok | lost
local tenant, run = ARGV[2], ARGV[5]
if redis.call('EXISTS', key.run(run)) == 0 then return { 'ok' } end -- removed meanwhile: nothing of it may come back
if not owns(tenant, ARGV[3], ARGV[4]) then
  local known = redis.call('HGET', key.deliveries(run), ARGV[6])
  if known then
    local delivery = cjson.decode(known)
    delivery.content = ''
    redis.call('HSET', key.deliveries(run), ARGV[6], cjson.encode(delivery))
  end
  redis.call('ZADD', key.dirty(tenant), 'NX', integer(now()), run)
  return { 'lost' }
end
redis.call('HSET', key.deliveries(run), ARGV[6], ARGV[7])
if ARGV[9] == '1' then
  if event_count(run) <= tonumber(ARGV[8]) then
    redis.call('ZREM', key.dirty(tenant), run)
  elseif not redis.call('HGET', key.run(run), 'ended_at') then
    redis.call('ZADD', key.dirty(tenant), integer(now()), run)
  end
end
return { 'ok' }
