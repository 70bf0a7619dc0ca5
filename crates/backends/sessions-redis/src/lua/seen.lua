-- ARGV: 5 session, 6 idle until.
local row = read_by_key(ARGV[5])
if row and lives(row) and not has_expired(row) then
  local idle = math.min(math.max(row.idle, tonumber(ARGV[6])), row.expires)
  redis.call('SETRANGE', row.where, '84', struct.pack('>i8i8', math.max(row.seen, tonumber(NOW)), idle))
end
return { 'done' }
