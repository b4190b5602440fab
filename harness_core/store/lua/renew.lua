-- Extends leases that still hold; a lease that ran out cannot be extended, whether or not it was taken.
-- ARGV 2 worker 3 lease ms 4… run id, epoch, run id, epoch …
-- Replies: {lost run ids}, {run id, who asked it to stop, run id, who …}
local lost, cancelled = {}, {}
for i = 4, #ARGV, 2 do
  local run = ARGV[i]
  local record = redis.call('HMGET', key.run(run), 'tenant', 'conversation', 'cancelled_by')
  if record[1] and holds(run, record[1], record[2], ARGV[i + 1]) then
    redis.call('ZADD', key.leases(), integer(now() + tonumber(ARGV[3])), run)
    redis.call('HSET', key.run(run), 'seen_at', integer(now()))
    if record[3] then
      cancelled[#cancelled + 1] = run
      cancelled[#cancelled + 1] = record[3]
    end
  else
    lost[#lost + 1] = run
  end
end
return { lost, cancelled }
