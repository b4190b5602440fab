-- Removes an ended run with everything that hangs on it, and its thread with the last one.
-- ARGV 2 run 3 only if it ended before this, ms ('' = whenever it ended)
-- Replies: forgotten, keys that went, its thread if that went too or '' | kept, state | missing
local run = ARGV[2]
local r = redis.call('HMGET', key.run(run), unpack(OWNED))
if not r[1] then return { 'missing' } end
if not r[6] or (ARGV[3] ~= '' and tonumber(r[6]) >= tonumber(ARGV[3])) then return { 'kept', r[5] } end
local gone, thread = forget_run(run, r)
return { 'forgotten', gone, thread }
