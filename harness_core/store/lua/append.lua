-- Appends events of one batch. A batch of this epoch that was seen already changes nothing.
-- ARGV 2 tenant 3 conversation 4 run 5 epoch 6 batch number 7… name, sealed payload, name, sealed payload …
-- Replies: ok, who asked to stop or '' | fenced
local tenant, conversation, run, epoch = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if not holds(run, tenant, conversation, epoch) then return { 'fenced' } end
local record = redis.call('HMGET', key.run(run), 'batch_epoch', 'batch', 'cancelled_by')
if record[1] ~= epoch or tonumber(record[2]) < tonumber(ARGV[6]) then
  for i = 7, #ARGV, 2 do emit(run, tenant, ARGV[i], 'S', ARGV[i + 1]) end
  redis.call('HSET', key.run(run), 'batch_epoch', epoch, 'batch', ARGV[6])
end
return { 'ok', record[3] or '' }
