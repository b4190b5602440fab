-- A conversation begins again: its live runs are stopped and another thread takes the place of its own.
-- ARGV 2 tenant 3 conversation 4 by 5 thread id 6 ms to remember the message 7… names under which it may come again
-- Replies: restarted | duplicate | unknown (it never had a thread)
local tenant, conversation = ARGV[2], ARGV[3]
for i = 7, #ARGV do
  if redis.call('EXISTS', key.seen(tenant, ARGV[i])) == 1 then return { 'duplicate' } end
end
for i = 7, #ARGV do redis.call('SET', key.seen(tenant, ARGV[i]), '', 'PX', ARGV[6]) end
if redis.call('HEXISTS', key.conversation(tenant, conversation), 'thread') == 0 then return { 'unknown' } end
start_anew(tenant, conversation, ARGV[4], ARGV[5])
return { 'restarted' }
