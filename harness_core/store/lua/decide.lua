-- One person's decision about an open question. The first that suffices wins; a waiting run then goes on.
-- ARGV 2 approval 3 revision it is about, '' for the current one 4 decision 5 by 6 source
--      7 sealed reason or response, or '' 8 sealed approval.decided
-- Replies: won | tallied, votes, quorum, '1' if this person's was counted before | already, decision, by, at
--          | expired, at | stale, revision | ended, run state | kind, kind of the question | missing
local id, decision, by = ARGV[2], ARGV[4], ARGV[5]
local a = redis.call('HMGET', key.approval(id), unpack(SEEN))
local refused = refusal(a, ARGV[3])
if refused then return refused end
local tenant, run = a[1], a[2]
local about = (decision == 'done' or decision == 'again' or decision == 'skip') and 'uncertain' or 'call'
if about ~= a[9] then return { 'kind', a[9] } end
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
close(id, run, tenant)
facts.what = 'decided'
audit(tenant, facts)
emit(run, tenant, 'approval.decided', 'S', ARGV[8])
wake_run(run)
return { 'won' }
