-- Fixes the agent of a run, of its thread and of its conversation, and the workspace it runs with.
-- ARGV 2 tenant 3 conversation 4 thread 5 run 6 epoch 7 agent 8 workspace digest 9 sealed run.routed
-- Replies: ok | fenced
local tenant, conversation, thread, run = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if not holds(run, tenant, conversation, ARGV[6]) then return { 'fenced' } end
redis.call('HSET', key.run(run), 'agent', ARGV[7], 'workspace', ARGV[8])
redis.call('HSET', key.thread(thread), 'agent', ARGV[7])
redis.call('HSET', key.conversation(tenant, conversation), 'agent', ARGV[7])
emit(run, tenant, 'run.routed', 'S', ARGV[9])
return { 'ok' }
