-- A message is gone: its run leaves the line if it has not begun, and a run at work no longer gets to read it. One that
-- its model is told already goes with that run, whatever the model answers.
-- ARGV 2 tenant 3 name of the message 4 by
-- Replies: cancelled, run | unread, run | nothing
local value = redis.call('GET', key.seen(ARGV[2], ARGV[3]))
if not value then return { 'nothing' } end
local run, message = whereabouts(value)
if message then
  local said = key.steer(run, message)
  if taken(said) then
    redis.call('HSET', said, 'withdrawn', '1')
    return { 'nothing' }
  end
  if redis.call('LREM', key.steers(run), 1, message) == 0 then return { 'nothing' } end
  redis.call('DEL', said)
  return { 'unread', run }
end
if redis.call('HGET', key.run(run), 'state') ~= 'queued' then return { 'nothing' } end
stop(run, ARGV[4])
return { 'cancelled', run }
