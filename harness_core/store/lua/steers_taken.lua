-- The model of a run is about to be told what was written to it: from now on that cannot be taken back, a change of it
-- is told anew, and who wrote it has asked, too.
-- ARGV 2 tenant 3 conversation 4 run 5 epoch 6… ids
-- Replies: fenced | ok, then of each that is still to be read its id and its sealed input
local run = ARGV[4]
if not holds(run, ARGV[2], ARGV[3], ARGV[5]) then return { 'fenced' } end
local asked = cjson.decode(redis.call('HGET', key.run(run), 'requesters') or '[]')
local known, reply = {}, { 'ok' }
for _, user in ipairs(asked) do known[user] = true end
for i = 6, #ARGV do
  if redis.call('LPOS', key.steers(run), ARGV[i]) then
    local said = key.steer(run, ARGV[i])
    redis.call('HSETNX', said, 'taken_at', integer(now()))
    local s = redis.call('HMGET', said, 'user', 'input')
    if not known[s[1]] then
      known[s[1]] = true
      asked[#asked + 1] = s[1]
    end
    reply[#reply + 1] = ARGV[i]
    reply[#reply + 1] = s[2]
  end
end
redis.call('HSET', key.run(run), 'requesters', cjson.encode(asked))
return reply
