-- The run waits for people: it frees its lease and every cap, and stays the head of its conversation.
-- With everything decided meanwhile it keeps its lease and goes on as resuming.
-- ARGV 2 tenant 3 conversation 4 run 5 epoch
-- Replies: waiting | resuming, pause | cancel_requested, by | fenced | illegal, found state
local tenant, conversation, run = ARGV[2], ARGV[3], ARGV[4]
if not holds(run, tenant, conversation, ARGV[5]) then return { 'fenced' } end
local record = redis.call('HMGET', key.run(run), 'state', 'user', 'cancelled_by')
if record[3] then return { 'cancel_requested', record[3] } end
local open = redis.call('SCARD', key.run_open(run)) > 0
local target = open and 'waiting_for_approval' or 'resuming'
if not transition(run, tenant, record[1], target) then return { 'illegal', record[1] } end
redis.call('HDEL', key.run(run), 'intent')
if open then
  redis.call('HSET', key.run(run), 'attempts', 0)
  free_lease(run, tenant, record[2])
  return { 'waiting' }
end
return { 'resuming', redis.call('HINCRBY', key.run(run), 'pause', 1) }
