-- What is said in the conversation of a thread from now on begins another thread: this one is about to be removed.
-- ARGV 2 thread
-- Replies: ok
local t = redis.call('HMGET', key.thread(ARGV[2]), 'tenant', 'conversation')
if not t[1] then return { 'ok' } end
local conv = key.conversation(t[1], t[2])
if redis.call('HGET', conv, 'thread') == ARGV[2] then redis.call('HDEL', conv, 'thread') end
return { 'ok' }
