-- An entry in a tenant's audit chain about something that changed nothing else.
-- ARGV 2 tenant 3 facts, a JSON object
-- Replies: ok
audit(ARGV[2], cjson.decode(ARGV[3]))
return { 'ok' }
