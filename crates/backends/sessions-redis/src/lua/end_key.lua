-- ARGV: 5 owner, 6 id.
local row = read(ARGV[6])
if not row or row.owner ~= ARGV[5] or not lives(row, tonumber(NOW)) then
  return { 'no' }
end

redis.call('HDEL', row.where, '') -- Deletes nothing. First: see must_have_memory in begin.lua.
record('key_ended', row.tenant, row.subject, nil, row.name)
redis.call('HSET', row.where, 'ended', NOW)
redis.call('ZADD', DIES, 'LT', NOW, row.id)
return { 'done' }
