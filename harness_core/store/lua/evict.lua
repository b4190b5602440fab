-- Ends a run whatever its worker does: the lease is taken away, and nothing that worker does from here on is written.
-- ARGV 2 run 3 by
-- Replies: ended | finished, state | missing
local run, by = ARGV[2], ARGV[3]
local r = redis.call('HMGET', key.run(run), 'tenant', 'conversation', 'state', 'user', 'ended_at')
local tenant, conversation, state = r[1], r[2], r[3]
if not tenant then return { 'missing' } end
if r[5] then return { 'finished', state } end
-- One that never began has no worker to fence off; the run before it in the line may have one that is at work.
if state ~= 'queued' then redis.call('HINCRBY', key.conversation(tenant, conversation), 'epoch', 1) end
redis.call('HSET', key.run(run), 'cancelled_by', by, 'reason', 'cancelled')
transition(run, tenant, state, 'cancelled')
local ran, unsure = touched(run)
emit(run, tenant, 'run.cancelled', 'P', cjson.encode({ by = by, ran = ran, unsure = unsure }))
free_lease(run, tenant, r[4])
leave_inbox(run, tenant, conversation)
return { 'ended' }
