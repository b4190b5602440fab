-- Takes a thread off the list of those to be thinned out, unless it was busy since it was looked at.
-- ARGV 2 thread 3 when it had fallen idle, ms
-- Replies: ok | busy
if redis.call('ZSCORE', key.unpruned(), ARGV[2]) ~= ARGV[3] then return { 'busy' } end
redis.call('ZREM', key.unpruned(), ARGV[2])
return { 'ok' }
