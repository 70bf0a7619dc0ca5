-- ARGV: 5 session, 6 generation.
local row = read_by_key(ARGV[5])
if row and row.gen == ARGV[6] and (row.prev or row.nonce) then
  redis.call('HDEL', row.where, 'prev', 'nonce')
  redis.call('ZREM', GRACE, row.key)
end
return { 'done' }
