-- Ends a waiting run that must not go on, with its questions; nobody works on it, so no fence is shown.
-- ARGV 2 run 3 reason 4 sealed message
-- Replies: failed | not_waiting, state | missing
local run = ARGV[2]
local r = redis.call('HMGET', key.run(run), 'tenant', 'conversation', 'state')
if not r[1] then return { 'missing' } end
if r[3] ~= 'waiting_for_approval' then return { 'not_waiting', r[3] } end
redis.call('HINCRBY', key.conversation(r[1], r[2]), 'epoch', 1)
redis.call('HSET', key.run(run), 'reason', ARGV[3])
transition(run, r[1], r[3], 'failed')
audit(r[1], { what = 'abandoned', run = run, reason = ARGV[3] })
emit(run, r[1], 'run.failed', 'S', ARGV[4])
leave_inbox(run, r[1], r[2])
return { 'failed' }
