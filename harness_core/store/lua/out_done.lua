-- Stores the outcome of a call. Only the owner may; a former one marks the run as lagging again, and what its
-- message shows as unknown, since the call may have come after the new owner's and put an older text in its place.
-- A post of which the new owner did not know yet brings the message; if another one stands already, it is one too many.
-- ARGV 2 tenant 3 worker 4 epoch 5 run 6 part 7 delivery JSON 8 newest event shown 9 '1' if nothing is left to do
-- Replies: ok | known, external id of the message that stands for this post already; nothing is stored
--          | lost, '1' if the post brought a second message
local tenant, run = ARGV[2], ARGV[5]
if redis.call('EXISTS', key.run(run)) == 0 then return { 'ok' } end -- removed meanwhile: nothing of it may come back
if not owns(tenant, ARGV[3], ARGV[4]) then
  local told = cjson.decode(ARGV[7])
  local posted = type(told.external_id) == 'string'
  local extra = posted and known_message(run, ARGV[6], told)
  local kept = redis.call('HGET', key.deliveries(run), ARGV[6])
  if kept then
    local delivery = cjson.decode(kept)
    delivery.content = ''
    if posted and delivery.nonce == told.nonce and not extra then delivery.external_id = told.external_id end
    redis.call('HSET', key.deliveries(run), ARGV[6], cjson.encode(delivery))
  end
  redis.call('ZADD', key.dirty(tenant), 'NX', integer(now()), run)
  return { 'lost', extra and '1' or '' }
end
local known = known_message(run, ARGV[6], cjson.decode(ARGV[7]))
if known then return { 'known', known } end
redis.call('HSET', key.deliveries(run), ARGV[6], ARGV[7])
if ARGV[9] == '1' then
  if event_count(run) <= tonumber(ARGV[8]) then
    redis.call('ZREM', key.dirty(tenant), run)
  elseif not redis.call('HGET', key.run(run), 'ended_at') then
    redis.call('ZADD', key.dirty(tenant), integer(now()), run)
  end
end
return { 'ok' }
