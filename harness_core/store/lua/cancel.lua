-- Ends a run that nobody works on; asks the worker of a running one to stop.
-- ARGV 2 run 3 by
-- Replies: cancelled | requested | finished, state | missing
local run, by = ARGV[2], ARGV[3]
local state = redis.call('HGET', key.run(run), 'state')
if not state then return { 'missing' } end
if over(state) then return { 'finished', state } end
return { stop(run, by) and 'cancelled' or 'requested' }
