-- Changes the arguments of an open question: a new revision, which nobody has voted for yet.
-- ARGV 2 approval 3 revision it is about, '' for the current one 4 sealed content 5 digest of what would run
--      6 by 7 source 8 sealed approval.revised
-- Replies: revised, revision | already … | expired, at | stale, revision | ended, run state | kind, kind | missing
local id = ARGV[2]
local a = redis.call('HMGET', key.approval(id), unpack(SEEN))
local refused = refusal(a, ARGV[3])
if refused then return refused end
if a[9] ~= 'call' then return { 'kind', a[9] } end
local revision = redis.call('HINCRBY', key.approval(id), 'revision', 1)
redis.call('DEL', key.votes(id))
redis.call('HSET', key.approval(id), 'asked', ARGV[4], 'digest', ARGV[5])
audit(a[1], { what = 'revised', approval = id, run = a[2], revision = integer(revision), by = ARGV[6], source = ARGV[7],
  digest = ARGV[5] })
took_part(a[1], redis.call('HGET', key.run(a[2]), 'thread_id'), ARGV[6])
emit(a[2], a[1], 'approval.revised', 'S', ARGV[8])
return { 'revised', revision }
