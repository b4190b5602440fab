-- Records a tool call with the first verdict about it; a verdict is found once and never anew. With a question,
-- the call waits for people: a question with an id that is there already is not asked again. Nor is one about a call that
-- a grant covers when it is first recorded: that counts as one use, and the call keeps the grant however often it is told,
-- until the grant goes with the run it was given in. What is asked anew is told by the digest of that question.
-- ARGV 2 tenant 3 conversation 4 run 5 epoch 6 call key 7 tool 8 effect 9 verdict 10 digest of the arguments 11 note
--      12 approval id or '' 13 kind 14 ms until it expires 15 ms until each reminder, JSON list
--      16 what a grant has to cover, '' = none could 17 the id that the model gave the call
--      18… pairs of the question's other fields, ended by '' 'event' sealed payload (only with a question)
-- Replies: ok | fenced
local tenant, conversation, run, id = ARGV[2], ARGV[3], ARGV[4], ARGV[12]
if not holds(run, tenant, conversation, ARGV[5]) then return { 'fenced' } end
local call = key.call(run, ARGV[6])
local fresh = redis.call('HSETNX', call, 'state', 'opened') == 1
if fresh then
  redis.call('HSET', call, 'tool', ARGV[7], 'effect', ARGV[8], 'verdict', ARGV[9], 'asked', ARGV[10], 'note', ARGV[11],
    'attempts', 0, 'doubts', 0)
  redis.call('RPUSH', key.calls(run), ARGV[6])
end
if id == '' then return { 'ok' } end

-- The first to end of the live grants of the thread that cover this.
local function covering(scope)
  local found, first
  for _, each in ipairs(redis.call('SMEMBERS', key.thread_grants(redis.call('HGET', key.run(run), 'thread_id')))) do
    local g = redis.call('HMGET', key.grant(each), 'scope', 'expires_at', 'used', 'times', 'revoked_by')
    if g[1] == scope and not g[5] and tonumber(g[2]) > now() and tonumber(g[3]) < tonumber(g[4]) then
      if not first or tonumber(g[2]) < first then found, first = each, tonumber(g[2]) end
    end
  end
  return found
end

local grant = fresh and ARGV[16] ~= '' and covering(ARGV[16])
if grant then
  local used = redis.call('HINCRBY', key.grant(grant), 'used', 1)
  local g = redis.call('HMGET', key.grant(grant), 'times', 'by')
  local times, name = tonumber(g[1]), grant_name(grant)
  if used >= times then redis.call('ZREM', key.grants(tenant), grant) end
  redis.call('HSET', call, 'grant', name)
  emit(run, tenant, 'approval.granted', 'P', cjson.encode({ grant = name, call = ARGV[17], tool = ARGV[7], by = g[2],
    used = used, times = times }))
  audit(tenant, { what = 'grant.used', grant = name, run = run, call = ARGV[6], tool = ARGV[7], by = g[2], used = used,
    times = times })
end
if ARGV[13] == 'call' then
  local by = redis.call('HGET', call, 'grant')
  local given = by and string.gsub(by, '^grant_', 'appr_')
  if by and redis.call('EXISTS', key.grant(given), key.approval(given)) == 2 then return { 'ok' } end
  redis.call('HDEL', call, 'grant')
end
if ARGV[13] == 'uncertain' then
  if redis.call('HGET', call, 'doubt') ~= id then
    redis.call('HSET', call, 'doubt', id)
    redis.call('HINCRBY', call, 'doubts', 1)
  end
else
  redis.call('HSET', call, 'approval', id)
end
if redis.call('EXISTS', key.approval(id)) == 1 then return { 'ok' } end
if ARGV[13] == 'call' then redis.call('HSET', call, 'asked', ARGV[10]) end
local fields, at = {}, 18
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
