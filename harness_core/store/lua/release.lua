-- Hands a run back on purpose (drain): claimable at once, at the front, and no attempt is counted.
-- ARGV 2 tenant 3 conversation 4 run 5 epoch
-- Replies: ok | fenced
local tenant, conversation, run = ARGV[2], ARGV[3], ARGV[4]
if not holds(run, tenant, conversation, ARGV[5]) then return { 'fenced' } end
redis.call('HINCRBY', key.conversation(tenant, conversation), 'epoch', 1)
redis.call('HSET', key.run(run), 'left_at', integer(now()), 'left', 'handover')
free_lease(run, tenant, redis.call('HGET', key.run(run), 'user'))
make_ready(run, tenant, now() - FRONT)
return { 'ok' }
