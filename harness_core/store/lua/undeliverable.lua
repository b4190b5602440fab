-- Nothing can be said of a run any more where it was asked. That is noted once; a live run fails, at once where nobody
-- works on it, else its worker is asked to stop.
-- ARGV 2 run 3 the platform's name for why 4 reason 5 what people read about it
-- Replies: failed | requested | finished, state | missing
local run = ARGV[2]
local r = redis.call('HMGET', key.run(run), 'tenant', 'conversation', 'state')
local tenant, conversation, state = r[1], r[2], r[3]
if not tenant then return { 'missing' } end
if redis.call('HSETNX', key.run(run), 'undeliverable', ARGV[3]) == 1 then
  audit(tenant, { what = 'undeliverable', run = run, reason = ARGV[3] })
end
if over(state) then return { 'finished', state } end
if asked_to_stop(run, tenant, state, ARGV[4]) then return { 'requested' } end
if state ~= 'queued' then redis.call('HINCRBY', key.conversation(tenant, conversation), 'epoch', 1) end
redis.call('HSET', key.run(run), 'reason', ARGV[4])
transition(run, tenant, state, 'failed')
local ran, unsure = touched(run)
local why = { reason = ARGV[4], message = ARGV[5], ran = ran, unsure = unsure }
emit(run, tenant, 'run.failed', 'P', cjson.encode(why))
leave_inbox(run, tenant, conversation)
return { 'failed' }
