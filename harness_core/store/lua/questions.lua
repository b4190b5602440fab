-- What the verbs about approvals share; stands behind the prelude and sha256.lua.

-- One more link of a tenant's audit chain. `facts` holds ids and digests, never what people or agents said.
local function audit(tenant, facts)
  local head = redis.call('HMGET', key.audit_head(tenant), 'seq', 'hash')
  local seq, previous = tonumber(head[1] or 0) + 1, head[2] or ''
  local link = integer(seq) .. '|' .. integer(now()) .. '|' .. previous .. '|' .. cjson.encode(facts)
  local hash = sha256(link)
  redis.call('RPUSH', key.audit(tenant), hash .. '|' .. link)
  redis.call('HSET', key.audit_head(tenant), 'seq', integer(seq), 'hash', hash)
end

-- What people and programs call the grant that was given with an approval.
local function grant_name(id) return (string.gsub(id, '^appr_', 'grant_')) end

-- A question is answered, or nobody can answer it any more.
local function close(id, run, tenant)
  redis.call('SREM', key.run_open(run), id)
  redis.call('ZREM', key.approvals_open(tenant), id)
  redis.call('ZREM', key.deadlines(), id)
  redis.call('ZREM', key.reminders(), id)
end

-- The second half of a decision: a waiting run without an open question goes on, before those that are new.
local function wake_run(run)
  local r = redis.call('HMGET', key.run(run), 'tenant', 'state')
  if r[2] ~= 'waiting_for_approval' or redis.call('SCARD', key.run_open(run)) > 0 then return end
  transition(run, r[1], r[2], 'resuming')
  redis.call('HSET', key.run(run), 'intent', 'approval-decision', 'attempts', 0)
  -- From now on a worker could go on: whoever finds none is told how long that took.
  redis.call('HSET', key.run(run), 'left_at', integer(now()), 'left', 'decided')
  redis.call('HINCRBY', key.run(run), 'pause', 1)
  make_ready(run, r[1], now() - FRONT)
end

-- Why a question cannot be decided or changed, as a reply; nil when it can. `a` is its hash in the order of SEEN.
local SEEN = { 'tenant', 'run_id', 'state', 'revision', 'expires_at', 'decision', 'decided_by', 'decided_at', 'kind',
  'quorum', 'digest' }
local function refusal(a, revision)
  if not a[1] then return { 'missing' } end
  if a[3] == 'decided' then return { 'already', a[6], a[7], a[8] } end
  if a[3] == 'expired' then return { 'expired', a[5] } end
  local state = redis.call('HGET', key.run(a[2]), 'state')
  if a[3] == 'void' or not state or over(state) then return { 'ended', state or 'failed' } end
  if tonumber(a[5]) <= now() then return { 'expired', a[5] } end
  if revision ~= '' and revision ~= a[4] then return { 'stale', a[4] } end
end
