-- A piece of a purge: nonces of closed windows, and dead rows. Answers how many rows it deleted, and how many it looked at.
--
-- ARGV: 5 before when a row has to be dead, 6 how many at once.
local BEFORE, LIMIT = tonumber(ARGV[5]), ARGV[6]
local deleted, seen = 0, 0

for _, key in ipairs(redis.call('ZRANGEBYSCORE', GRACE, '-inf', '(' .. NOW, 'LIMIT', 0, LIMIT)) do
  seen = seen + 1
  local is_sound, row = pcall(read_by_key, key)
  if is_sound and row and row.grace >= tonumber(NOW) then
    redis.call('ZADD', GRACE, text(row.grace), key)
  else
    redis.call('ZREM', GRACE, key)
    if is_sound and row and (row.prev or row.nonce) then
      row.prev, row.nonce = nil, nil
      write(row)
    end
  end
end

for _, key in ipairs(redis.call('ZRANGEBYSCORE', DIES, '-inf', '(' .. text(BEFORE), 'LIMIT', 0, LIMIT)) do
  seen = seen + 1
  local is_sound, row = pcall(read_by_key, key)
  if not is_sound then
    -- Not readable, and so not ours to delete; the server forgets it by itself. It must not stand in the way of others.
    redis.call('ZADD', DIES, NOW, key)
  elseif not row then
    redis.call('ZREM', DIES, key)
  else
    local due = math.min(row.idle, row.expires, row.ended or row.expires)
    if due < BEFORE then
      deleted = deleted + 1
      redis.call('DEL', row.where, PREFIX .. ':i:' .. key)
      redis.call('SREM', PREFIX .. ':u:' .. row.owner, key)
      redis.call('ZREM', DIES, key)
      redis.call('ZREM', GRACE, key)
    else
      -- It was used since.
      redis.call('ZADD', DIES, text(due), key)
    end
  end
end
return { deleted, seen }
