-- A piece of a purge. ARGV and answer are as in purge_sessions.
local BEFORE, LIMIT = tonumber(ARGV[5]), ARGV[6]
local deleted, seen = 0, 0
for _, digest in ipairs(redis.call('ZRANGEBYSCORE', DIES, '-inf', '(' .. text(BEFORE), 'LIMIT', 0, LIMIT)) do
  seen = seen + 1
  local is_sound, row = pcall(read, digest)
  if not is_sound then
    redis.call('ZADD', DIES, NOW, digest)
  elseif row then
    deleted = deleted + 1
    remove(row, digest)
  else
    redis.call('ZREM', DIES, digest)
  end
end
return { deleted, seen }
