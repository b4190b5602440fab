-- Cuts the oldest links off an audit chain. The first that is left names the hash it builds on, so the rest verifies.
-- ARGV 2 tenant 3 links written before this go, ms 4 at most so many
-- Replies: how many went
local chain, limit = key.audit(ARGV[2]), tonumber(ARGV[4])
local gone = 0
while gone < limit do
  local link = redis.call('LINDEX', chain, 0)
  local at = link and string.match(link, '^%x+|%d+|(%d+)|')
  -- A link whose time cannot be read was changed by somebody: it stays as the evidence of that.
  if not at or tonumber(at) >= tonumber(ARGV[3]) then break end
  redis.call('LPOP', chain)
  gone = gone + 1
end
redis.call('HINCRBY', key.audit_head(ARGV[2]), 'cut', gone)
return { gone }
