-- ARGV: 5 session, 6 generation, as eight bytes.
local row = read_by_key(ARGV[5])
if row and struct.pack('>I4I4', row.high, row.low) == ARGV[6] and (row.prev or row.nonce) then
  redis.call('ZREM', GRACE, row.key)
  row.prev, row.nonce = nil, nil
  write(row)
end
return { 'done' }
