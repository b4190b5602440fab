-- Records a tool call with the first verdict about it; a verdict is found once and never anew. With a question,
-- the call waits for people: a question with an id that is there already is not asked again.
-- ARGV 2 tenant 3 conversation 4 run 5 epoch 6 call key 7 tool 8 effect 9 verdict 10 digest of the arguments 11 note
--      12 approval id or '' 13 kind 14 ms until it expires 15 ms until each reminder, JSON list
--      16… pairs of the question's other fields, ended by '' 'event' sealed payload (only with a question)
-- Replies: ok | fenced
local tenant, conversation, run, id = ARGV[2], ARGV[3], ARGV[4], ARGV[12]
if not holds(run, tenant, conversation, ARGV[5]) then return { 'fenced' } end
local call = key.call(run, ARGV[6])
if redis.call('HSETNX', call, 'state', 'opened') == 1 then
  redis.call('HSET', call, 'tool', ARGV[7], 'effect', ARGV[8], 'verdict', ARGV[9], 'asked', ARGV[10], 'note', ARGV[11],
    'attempts', 0, 'doubts', 0)
  redis.call('RPUSH', key.calls(run), ARGV[6])
end
if id == '' then return { 'ok' } end
if ARGV[13] == 'uncertain' then
  if redis.call('HGET', call, 'doubt') ~= id then
    redis.call('HSET', call, 'doubt', id)
    redis.call('HINCRBY', call, 'doubts', 1)
  end
else
  redis.call('HSET', call, 'approval', id)
end
if redis.call('EXISTS', key.approval(id)) == 1 then return { 'ok' } end
local fields, at = {}, 16
while ARGV[at] ~= '' do
  fields[#fields + 1] = ARGV[at]
  fields[#fields + 1] = ARGV[at + 1]
  at = at + 2
end
local expires = now() + tonumber(ARGV[14])
redis.call('HSET', key.approval(id), 'tenant', tenant, 'conversation', conversation, 'run_id', run, 'kind', ARGV[13],
  'call_key', ARGV[6], 'tool', ARGV[7], 'state', 'open', 'revision', 0, 'requested_at', integer(now()),
  'expires_at', integer(expires), 'remind', ARGV[15], 'reminded', 0, unpack(fields))
-- A question whose record was lost is made anew, and stands in the list already.
if not redis.call('LPOS', key.run_approvals(run), id) then redis.call('RPUSH', key.run_approvals(run), id) end
redis.call('SADD', key.run_open(run), id)
redis.call('ZADD', key.approvals(tenant), integer(now()), id)
redis.call('ZADD', key.approvals_open(tenant), integer(now()), id)
redis.call('ZADD', key.deadlines(), integer(expires), id)
local first = cjson.decode(ARGV[15])[1]
if first then redis.call('ZADD', key.reminders(), integer(now() + first), id) end
emit(run, tenant, 'approval.requested', 'S', ARGV[at + 2])
audit(tenant, { what = 'requested', approval = id, run = run, kind = ARGV[13], tool = ARGV[7],
  digest = redis.call('HGET', key.approval(id), 'digest') })
return { 'ok' }
