-- A piece of a purge: revocations that need be remembered no longer. ARGV: 5 nothing, 6 how many at once. Answer as in
-- purge_sessions.
local deleted = 0
for _, name in ipairs(redis.call('ZRANGEBYSCORE', UNTIL, '-inf', '(' .. NOW, 'LIMIT', 0, ARGV[6])) do
  deleted = deleted + 1
  local colon = string.find(name, ':', 1, true)
  redis.call('XDEL', FEED, string.sub(name, 1, colon - 1) .. '-0')
  if colon < #name then
    redis.call('DEL', PREFIX .. ':j:' .. string.sub(name, colon + 1))
  end
  redis.call('ZREM', UNTIL, name)
end
return { deleted, deleted }
