-- Keeps a tool's output that was too long to read whole, while the run's share lasts.
-- ARGV 2 tenant 3 conversation 4 run 5 epoch 6 reference 7 sealed output 8 bytes that one run may keep
-- Replies: kept | full | fenced
local run = ARGV[4]
if not holds(run, ARGV[2], ARGV[3], ARGV[5]) then return { 'fenced' } end
local outputs = key.outputs(run)
local held = tonumber(redis.call('HGET', key.run(run), 'outputs') or 0)
local more = #ARGV[7] - redis.call('HSTRLEN', outputs, ARGV[6])
if held + more > tonumber(ARGV[8]) then return { 'full' } end
redis.call('HSET', outputs, ARGV[6], ARGV[7])
redis.call('HINCRBY', key.run(run), 'outputs', more)
return { 'kept' }
