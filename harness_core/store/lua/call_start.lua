-- The last word before a tool runs: lease, no Stop, an approval of exactly these arguments, or a grant that is neither
-- over nor revoked. Consumes the approval and writes that the call has started, so no tool runs twice on one answer.
-- ARGV 2 tenant 3 conversation 4 run 5 epoch 6 call key 7 digest of the arguments the model gave
--      8 digest of what is about to run
-- Replies: started, attempt | fenced | cancelled, by | done | unapproved | changed | unsure
--          | ungranted: the grant is over, so people have to be asked
local run = ARGV[4]
if not holds(run, ARGV[2], ARGV[3], ARGV[5]) then return { 'fenced' } end
local by = redis.call('HGET', key.run(run), 'cancelled_by')
if by then return { 'cancelled', by } end
local call = key.call(run, ARGV[6])
local c = redis.call('HMGET', call, 'state', 'effect', 'verdict', 'asked', 'approval', 'doubt', 'grant')
if not c[1] or c[3] == 'deny' then return { 'unapproved' } end
if c[1] == 'done' then return { 'done' } end
if c[4] ~= ARGV[7] then return { 'changed' } end
if c[3] == 'ask' and not c[5] and c[7] then
  local g = redis.call('HMGET', key.grant((string.gsub(c[7], '^grant_', 'appr_'))), 'expires_at', 'revoked_by')
  if c[1] == 'opened' and (not g[1] or g[2] or tonumber(g[1]) <= now()) then
    redis.call('HDEL', call, 'grant')
    return { 'ungranted' }
  end
  if ARGV[7] ~= ARGV[8] then return { 'changed' } end
elseif c[3] == 'ask' then
  local a = redis.call('HMGET', key.approval(c[5] or ''), 'decision', 'digest', 'consumed')
  if a[1] ~= 'approve' then return { 'unapproved' } end
  if a[2] ~= ARGV[8] then return { 'changed' } end
  if a[3] == '1' and c[1] ~= 'started' then return { 'unapproved' } end
  redis.call('HSET', key.approval(c[5]), 'consumed', '1')
elseif ARGV[7] ~= ARGV[8] then
  return { 'changed' }
end
if c[1] == 'started' and c[2] == 'once' then
  local doubt = key.approval(c[6] or '')
  local d = redis.call('HMGET', doubt, 'decision', 'consumed')
  if d[1] ~= 'again' or d[2] == '1' then return { 'unsure' } end
  redis.call('HSET', doubt, 'consumed', '1')
end
redis.call('HSET', call, 'state', 'started', 'started_at', integer(now()))
return { 'started', redis.call('HINCRBY', call, 'attempts', 1) }
