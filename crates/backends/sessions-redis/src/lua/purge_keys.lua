-- A piece of a purge. ARGV and answer are as in purge_sessions.
local BEFORE, LIMIT = tonumber(ARGV[5]), ARGV[6]
local deleted, seen = 0, 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', DIES, '-inf', '(' .. text(BEFORE), 'LIMIT', 0, LIMIT)) do
  seen = seen + 1
  local is_sound, row = pcall(read, id)
  if not is_sound then
    redis.call('ZADD', DIES, NOW, id)
  else
    if row then
      deleted = deleted + 1
      redis.call('DEL', row.where, PREFIX .. ':n:' .. id)
      redis.call('ZREM', PREFIX .. ':v:' .. row.owner, id)
    end
    redis.call('ZREM', DIES, id)
  end
end
return { deleted, seen }
