-- Ends a grant before its time: no call starts by it from now on.
-- ARGV 2 tenant 3 approval it was given with 4 by 5 source
-- Replies: revoked | over | missing
local tenant, id = ARGV[2], ARGV[3]
if redis.call('HGET', key.approval(id), 'tenant') ~= tenant then return { 'missing' } end
local g = redis.call('HMGET', key.grant(id), 'expires_at', 'used', 'times', 'revoked_by')
if not g[1] then return { 'missing' } end
if g[4] or tonumber(g[1]) <= now() or tonumber(g[2]) >= tonumber(g[3]) then return { 'over' } end
redis.call('HSET', key.grant(id), 'revoked_by', ARGV[4], 'revoked_at', integer(now()))
redis.call('ZREM', key.grants(tenant), id)
audit(tenant, { what = 'grant.revoked', grant = grant_name(id), by = ARGV[4], source = ARGV[5] })
return { 'revoked' }
