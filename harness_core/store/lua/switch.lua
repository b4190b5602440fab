-- Lets every worker pause, or go on. Who pauses first is remembered until somebody lets them go on.
-- ARGV 2 by 3 '1' = pause, '0' = go on
-- Replies: switched | as_before
local switches = key.switches()
local draining = redis.call('HGET', switches, 'draining') or '0'
if draining == ARGV[3] then return { 'as_before' } end
redis.call('HSET', switches, 'draining', ARGV[3], 'by', ARGV[2], 'at', integer(now()))
if ARGV[3] == '0' then wake() end
return { 'switched' }
