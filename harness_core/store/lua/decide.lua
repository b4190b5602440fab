-- One person's decision about an open question. The first that suffices wins; a waiting run then goes on. With an
-- approval more may be granted, on the terms that were asked with: never where several people have to approve.
-- ARGV 2 approval 3 revision it is about, '' for the current one 4 decision 5 by 6 source
--      7 sealed reason or response, or '' 8 sealed approval.decided 9 what a grant is to cover, '' = nothing is granted
-- Replies: won | tallied, votes, quorum, '1' if this person's was counted before | already, decision, by, at
--          | expired, at | stale, revision | ended, run state | kind, kind of the question | ungrantable | missing
local id, decision, by = ARGV[2], ARGV[4], ARGV[5]
local a = redis.call('HMGET', key.approval(id), unpack(SEEN))
local refused = refusal(a, ARGV[3])
if refused then return refused end
local tenant, run = a[1], a[2]
local about = (decision == 'done' or decision == 'again' or decision == 'skip') and 'uncertain' or 'call'
if about ~= a[9] then return { 'kind', a[9] } end
local terms = ARGV[9] ~= '' and redis.call('HGET', key.approval(id), 'grants')
if ARGV[9] ~= '' and (not terms or terms == '' or decision ~= 'approve' or tonumber(a[10]) > 1) then
  return { 'ungrantable' }
end
local facts = { approval = id, run = run, decision = decision, revision = a[4], by = by, source = ARGV[6], digest = a[11] }
if decision == 'approve' or decision == 'again' then
  local fresh = redis.call('HSETNX', key.votes(id), by, integer(now()) .. '|' .. ARGV[6])
  local votes = redis.call('HLEN', key.votes(id))
  if votes < tonumber(a[10]) then
    if fresh == 1 then
      facts.what = 'voted'
      audit(tenant, facts)
      emit(run, tenant, 'approval.voted', 'P', cjson.encode({ approval = id, by = by, votes = votes }))
    end
    return { 'tallied', votes, a[10], fresh == 1 and '0' or '1' }
  end
end
redis.call('HSET', key.approval(id), 'state', 'decided', 'decision', decision, 'decided_by', by,
  'decided_at', integer(now()), 'words', ARGV[7])
if ARGV[7] ~= '' then took_part(tenant, redis.call('HGET', key.run(run), 'thread_id'), by) end
if decision == 'approve' then redis.call('HSET', key.approved(tenant), approved_place(id), id) end
close(id, run, tenant)
facts.what = 'decided'
audit(tenant, facts)
if terms then
  terms = cjson.decode(terms)
  local thread, ends = redis.call('HGET', key.run(run), 'thread_id'), now() + terms.lasts
  redis.call('HSET', key.grant(id), 'scope', ARGV[9], 'times', terms.times, 'used', 0, 'by', by, 'source', ARGV[6],
    'given_at', integer(now()), 'expires_at', integer(ends))
  redis.call('SADD', key.thread_grants(thread), id)
  redis.call('ZREMRANGEBYSCORE', key.grants(tenant), '-inf', integer(now()))
  redis.call('ZADD', key.grants(tenant), integer(ends), id)
  audit(tenant, { what = 'granted', grant = grant_name(id), approval = id, run = run, thread = thread, by = by,
    source = ARGV[6], times = terms.times, ends = integer(ends), scope = ARGV[9] })
end
emit(run, tenant, 'approval.decided', 'S', ARGV[8])
wake_run(run)
return { 'won' }
