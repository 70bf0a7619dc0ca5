-- KEYS: 7 row, 8 the index of its owner and purpose.
-- ARGV: 5 purpose, 6 tenant, 7 subject, 8 data, 9 expires, 10 owner, 11 digest, 12 the index's digest.
local PURPOSE, TENANT, SUBJECT, DATA, EXPIRES = ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local OWNER, DIGEST, INDEX = ARGV[10], ARGV[11], ARGV[12]
local subject, global = epochs(OWNER)
local earlier = redis.call('GET', KEYS[8])

record('once_made', TENANT, SUBJECT, nil, PURPOSE)
if earlier then
  redis.call('DEL', PREFIX .. ':o:' .. earlier)
  redis.call('ZREM', DIES, earlier)
end
local lifetime = span(integer(EXPIRES))
redis.call('DEL', KEYS[7])
redis.call('HSET', KEYS[7], 'purpose', PURPOSE, 'tenant', TENANT, 'subject', SUBJECT, 'owner', OWNER, 'data', DATA,
  'expires', EXPIRES, 'se', text(subject), 'ge', text(global), 'index', INDEX)
redis.call('PEXPIRE', KEYS[7], lifetime)
redis.call('SET', KEYS[8], DIGEST, 'PX', lifetime)
redis.call('ZADD', DIES, EXPIRES, DIGEST)
return { 'done' }
