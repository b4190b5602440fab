-- Messages that were added to a run are in its checkpoint: its agent has them, and who wrote them has asked, too.
-- ARGV 2 tenant 3 conversation 4 run 5 epoch 6… ids
-- Replies: ok | fenced
local run = ARGV[4]
if not holds(run, ARGV[2], ARGV[3], ARGV[5]) then return { 'fenced' } end
local asked = cjson.decode(redis.call('HGET', key.run(run), 'requesters') or '[]')
local known = {}
for _, user in ipairs(asked) do known[user] = true end
for i = 6, #ARGV do
  if redis.call('LREM', key.steers(run), 1, ARGV[i]) == 1 then
    redis.call('RPUSH', key.steered(run), ARGV[i])
    redis.call('HSET', key.steer(run, ARGV[i]), 'read_at', integer(now()))
    local user = redis.call('HGET', key.steer(run, ARGV[i]), 'user')
    if not known[user] then
      known[user] = true
      asked[#asked + 1] = user
    end
  end
end
redis.call('HSET', key.run(run), 'requesters', cjson.encode(asked))
return { 'ok' }
