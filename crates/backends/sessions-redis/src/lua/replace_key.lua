-- KEYS: 7 the new row, 8 its index, 9 the owner's set.
-- ARGV: 5 until when the old one is valid, 6 the old one's id; from 7 on the new row.
local TENANT, SUBJECT, OWNER, NAME = ARGV[10], ARGV[11], ARGV[12], ARGV[13]
must_be_new()
local old = read(ARGV[6])
if not old or old.owner ~= OWNER or not lives(old, tonumber(NOW)) then
  return { 'no' }
end

record('key_replaced', TENANT, SUBJECT, nil, NAME)
local expires = math.min(old.expires, integer(ARGV[5]))
redis.call('HSET', old.where, 'expires', text(expires))
redis.call('ZADD', DIES, 'LT', text(expires), old.id)
put()
return { 'done' }
