-- Ends a run under its fence; the next one of the conversation becomes claimable.
-- ARGV 2 tenant 3 conversation 4 run 5 epoch 6 state 7 reason or '' 8 sealed output or ''
--      9 event name 10 sealed event payload 11 '1': also with messages that it has not read
-- Replies: finished | fenced | illegal, found state | cancel_requested, by (a run that was asked to stop
--          can only end as cancelled or failed) | steered (it has messages to read before it can complete)
local tenant, conversation, run, state = ARGV[2], ARGV[3], ARGV[4], ARGV[6]
if not holds(run, tenant, conversation, ARGV[5]) then return { 'fenced' } end
local record = redis.call('HMGET', key.run(run), 'state', 'user', 'cancelled_by')
if record[3] and state == 'completed' then return { 'cancel_requested', record[3] } end
if state == 'completed' and ARGV[11] ~= '1' and redis.call('LLEN', key.steers(run)) > 0 then return { 'steered' } end
if not transition(run, tenant, record[1], state) then return { 'illegal', record[1] } end
if ARGV[7] ~= '' then redis.call('HSET', key.run(run), 'reason', ARGV[7]) end
if ARGV[8] ~= '' then redis.call('HSET', key.run(run), 'output', ARGV[8]) end
emit(run, tenant, ARGV[9], 'S', ARGV[10])
free_lease(run, tenant, record[2])
leave_inbox(run, tenant, conversation)
return { 'finished' }
