-- Closes questions whose deadline is over, and says which are due for a reminder.
-- ARGV 2 at most so many of each
-- Replies: {run ids that go on or lost a question}, {run ids with a reminder}
local expired, reminded = {}, {}
local due = integer(now())
for _, id in ipairs(redis.call('ZRANGEBYSCORE', key.deadlines(), '-inf', due, 'LIMIT', 0, ARGV[2])) do
  local a = redis.call('HMGET', key.approval(id), 'tenant', 'run_id', 'state', 'digest')
  redis.call('ZREM', key.deadlines(), id)
  if a[1] and a[3] == 'open' then
    redis.call('HSET', key.approval(id), 'state', 'expired', 'decided_at', due)
    close(id, a[2], a[1])
    audit(a[1], { what = 'expired', approval = id, run = a[2], digest = a[4] })
    emit(a[2], a[1], 'approval.expired', 'P', cjson.encode({ approval = id }))
    wake_run(a[2])
    expired[#expired + 1] = a[2]
  end
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', key.reminders(), '-inf', due, 'LIMIT', 0, ARGV[2])) do
  local a = redis.call('HMGET', key.approval(id), 'tenant', 'run_id', 'state', 'requested_at', 'remind')
  redis.call('ZREM', key.reminders(), id)
  if a[1] and a[3] == 'open' then
    local number = redis.call('HINCRBY', key.approval(id), 'reminded', 1)
    emit(a[2], a[1], 'approval.reminded', 'P', cjson.encode({ approval = id, number = number }))
    local next_one = cjson.decode(a[5])[number + 1]
    if next_one then redis.call('ZADD', key.reminders(), integer(tonumber(a[4]) + next_one), id) end
    reminded[#reminded + 1] = a[2]
  end
end
return { expired, reminded }
