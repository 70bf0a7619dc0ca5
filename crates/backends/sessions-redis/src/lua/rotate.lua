-- What `bartizan_sessions::judge` says, line by line; a test holds the two against each other.
--
-- KEYS: 7 row; 8 the row's name under its next selector, if that changes.
-- ARGV: 5 presented, 6 next, 7 nonce or '', 8 '1' where a grace window is wanted, 9 grace until, 10 idle until, 11 binding or '',
-- 12 facts or '', 13 remember until, 14 next selector or ''.
local PRESENTED, NEXT, NONCE, WANTS_GRACE = ARGV[5], ARGV[6], ARGV[7], ARGV[8] == '1'
local GRACE_UNTIL, IDLE_UNTIL, BINDING, NEW_FACTS = ARGV[9], ARGV[10], ARGV[11], ARGV[12]
local REMEMBER, SELECTOR = ARGV[13], ARGV[14]
local MAX_GRACE = 30000

local row = read(KEYS[7])
if not row then
  return { 'unknown' }
end
if not lives(row) then
  return answer('ended', row)
end
if has_expired(row) then
  return answer('expired', row)
end
local is_bound = not row.bind or row.bind == BINDING

if row.cur == PRESENTED then
  if not is_bound then
    return answer('unbound', row)
  end
  if KEYS[8] and KEYS[8] ~= KEYS[7] and redis.call('EXISTS', KEYS[8]) == 1 then
    damaged()
  end
  local idle = math.min(math.max(row.idle, tonumber(IDLE_UNTIL)), row.expires)
  local seen = math.max(row.seen, tonumber(NOW))
  local facts = NEW_FACTS ~= '' and NEW_FACTS or row.facts
  local raw = row.raw
  raw[GEN], raw[IDLE], raw[SEEN], raw[FACTS] = more(row.gen), text(idle), text(seen), facts

  record('renewed', row.tenant, row.subject, row, '')
  if NONCE ~= '' then
    redis.call('HSET', KEYS[7], 'cur', NEXT, 'prev', row.cur, 'nonce', NONCE, 'grace', GRACE_UNTIL, 'gen', raw[GEN],
      'idle', raw[IDLE], 'seen', raw[SEEN], 'facts', facts)
    redis.call('ZADD', GRACE, GRACE_UNTIL, row.key)
  else
    redis.call('HSET', KEYS[7], 'cur', NEXT, 'grace', GRACE_UNTIL, 'gen', raw[GEN], 'idle', raw[IDLE],
      'seen', raw[SEEN])
    if NEW_FACTS ~= '' then
      redis.call('HSET', KEYS[7], 'facts', facts)
    end
    if row.prev or row.nonce then
      redis.call('HDEL', KEYS[7], 'prev', 'nonce')
    end
  end
  if KEYS[8] and KEYS[8] ~= KEYS[7] then
    redis.call('RENAME', KEYS[7], KEYS[8])
    redis.call('SET', PREFIX .. ':i:' .. row.key, SELECTOR, 'KEEPTTL')
  end
  return answer('rotated', row)
end

-- SECURITY: a window is only open for the secret directly before the current one, and only where the caller wants one.
local now, grace = tonumber(NOW), row.grace
local is_open = WANTS_GRACE and now <= grace and grace - now <= MAX_GRACE + MAX_GRACE
if row.prev and row.nonce and row.prev == PRESENTED and is_bound and is_open then
  return answer('replayed', row)
end
end_row(row, 'reused', REMEMBER)
return answer('reused', row)
