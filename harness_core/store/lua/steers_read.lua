-- Messages that were added to a run are in its checkpoint, and its model has answered to them.
-- ARGV 2 tenant 3 conversation 4 run 5 epoch 6… ids
-- Replies: ok | fenced
local run = ARGV[4]
if not holds(run, ARGV[2], ARGV[3], ARGV[5]) then return { 'fenced' } end
for i = 6, #ARGV do
  if redis.call('LREM', key.steers(run), 1, ARGV[i]) == 1 then
    redis.call('RPUSH', key.steered(run), ARGV[i])
    redis.call('HSET', key.steer(run, ARGV[i]), 'read_at', integer(now()))
  end
end
return { 'ok' }
