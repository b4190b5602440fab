-- Records how a call ended. The first outcome stands.
-- ARGV 2 tenant 3 conversation 4 run 5 epoch 6 call key 7 ok '1'/'0' 8 sealed result 9 outcome, told of its questions
-- Replies: ok | fenced
local tenant, run = ARGV[2], ARGV[4]
if not holds(run, tenant, ARGV[3], ARGV[5]) then return { 'fenced' } end
local call = key.call(run, ARGV[6])
local c = redis.call('HMGET', call, 'state', 'approval', 'doubt')
if not c[1] or c[1] == 'done' then return { 'ok' } end
redis.call('HSET', call, 'state', 'done', 'ok', ARGV[7], 'result', ARGV[8], 'ended_at', integer(now()))
for i = 2, 3 do
  if c[i] then
    emit(run, tenant, 'approval.resolved', 'P', cjson.encode({ approval = c[i], outcome = ARGV[9] }))
  end
end
return { 'ok' }
