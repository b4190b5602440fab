-- A person wrote something in a conversation, for the agent or not. Of one that nothing was asked in, nothing is kept.
-- ARGV 2 tenant 3 conversation 4 the place of the message: a number that grows with each
-- Replies: ok
local conv = key.conversation(ARGV[2], ARGV[3])
if redis.call('EXISTS', conv) == 0 then return { 'ok' } end
if tonumber(redis.call('HGET', conv, 'posted') or 0) < tonumber(ARGV[4]) then redis.call('HSET', conv, 'posted', ARGV[4]) end
return { 'ok' }
