-- Removes a thread that has no runs any more.
-- ARGV 2 thread
-- Replies: forgotten, keys that went | kept
local thread = ARGV[2]
if redis.call('EXISTS', key.thread_runs(thread)) == 1 then return { 'kept' } end
return { 'forgotten', forget_thread(thread) }
