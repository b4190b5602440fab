-- Takes runs from workers whose lease is over: claimable again, left where they are until somebody lets them go on,
-- or failed when the attempts are used up. One that was asked to stop is never left: whoever claims it ends it.
-- ARGV 2 take-overs without a new checkpoint 3 take-overs in all 4 at most so many
--      5 runs that were last seen before this time (ms) are left, '' = none 6 what people read about one given up
-- Replies: {run ids taken}, {run ids given up}, {run ids left}
local taken, dead, held = {}, {}, {}

local function give_up(run, tenant, conversation, state, takeovers)
  transition(run, tenant, state, 'failed')
  redis.call('HSET', key.run(run), 'reason', 'recovery_exhausted')
  emit(run, tenant, 'recovery.exhausted', 'P', cjson.encode({ attempts = takeovers - 1 }))
  local ran, unsure = touched(run)
  local why = { reason = 'recovery_exhausted', message = ARGV[6], ran = ran, unsure = unsure }
  emit(run, tenant, 'run.failed', 'P', cjson.encode(why))
  leave_inbox(run, tenant, conversation)
  dead[#dead + 1] = run
end

for _, run in ipairs(redis.call('ZRANGEBYSCORE', key.leases(), '-inf', integer(now()), 'LIMIT', 0, ARGV[4])) do
  local r = redis.call('HMGET', key.run(run), 'tenant', 'conversation', 'user', 'state', 'seen_at', 'cancelled_by')
  local tenant, conversation = r[1], r[2]
  if not tenant then
    redis.call('ZREM', key.leases(), run)
  else
    redis.call('HINCRBY', key.conversation(tenant, conversation), 'epoch', 1)
    -- The worker was gone since its last sign of life, not since its lease ran out: people count that wait, and the
    -- run worked no longer than that.
    redis.call('HSET', key.run(run), 'left_at', r[5], 'left', 'lost')
    free_lease(run, tenant, r[3], tonumber(r[5]))
    local attempts = redis.call('HINCRBY', key.run(run), 'attempts', 1)
    local takeovers = redis.call('HINCRBY', key.run(run), 'takeovers', 1)
    if attempts > tonumber(ARGV[2]) or takeovers > tonumber(ARGV[3]) then
      give_up(run, tenant, conversation, r[4], takeovers)
    elseif ARGV[5] ~= '' and not r[6] and tonumber(r[5]) < tonumber(ARGV[5]) then
      redis.call('HSET', key.run(run), 'held', '1')
      emit(run, tenant, 'run.held', 'P', cjson.encode({ since = tonumber(r[5]) }))
      held[#held + 1] = run
    else
      emit(run, tenant, 'recovery.attempted', 'P', cjson.encode({ attempt = attempts }))
      make_ready(run, tenant, now() - FRONT)
      taken[#taken + 1] = run
    end
  end
end
return { taken, dead, held }
