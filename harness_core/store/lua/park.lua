-- The run waits for people: it frees its lease and every cap, and stays the head of its conversation.
-- With nothing left to decide it keeps its lease and goes on as resuming.
-- ARGV 2 tenant 3 conversation 4 run 5 epoch 6 questions still open
-- Replies: waiting | resuming | fenced | illegal, found state
local tenant, conversation, run = ARGV[2], ARGV[3], ARGV[4]
if not holds(run, tenant, conversation, ARGV[5]) then return { 'fenced' } end
local record = redis.call('HMGET', key.run(run), 'state', 'user')
local open = tonumber(ARGV[6]) > 0
local target = open and 'waiting_for_approval' or 'resuming'
if not transition(run, tenant, record[1], target) then return { 'illegal', record[1] } end
if open then
  free_lease(run, tenant, record[2])
  return { 'waiting' }
end
return { 'resuming' }
