-- Lets waiting runs go on that wait for nothing: their questions were answered, or are gone from the store.
-- ARGV 2 at most so many runs of each tenant
-- Replies: run ids
local woken = {}
for _, tenant in ipairs(redis.call('SMEMBERS', key.tenants())) do
  local waiting = redis.call('ZRANGE', key.runs_state(tenant, 'waiting_for_approval'), 0, tonumber(ARGV[2]) - 1)
  for _, run in ipairs(waiting) do
    for _, id in ipairs(redis.call('SMEMBERS', key.run_open(run))) do
      if redis.call('HGET', key.approval(id), 'state') ~= 'open' then close(id, run, tenant) end
    end
    if redis.call('SCARD', key.run_open(run)) == 0 then
      wake_run(run)
      woken[#woken + 1] = run
    end
  end
end
return woken
