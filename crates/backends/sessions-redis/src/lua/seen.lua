-- ARGV: 5 session, 6 idle until.
local row = read_by_key(ARGV[5])
if row and lives(row) and not has_expired(row) then
  local idle = math.min(math.max(row.idle, tonumber(ARGV[6])), row.expires)
  local seen = math.max(row.seen, tonumber(NOW))
  redis.call('HSET', row.where, 'seen', text(seen), 'idle', text(idle))
end
return { 'done' }
