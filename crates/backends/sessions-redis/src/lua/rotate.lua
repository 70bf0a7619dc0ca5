-- What `bartizan_sessions::judge` says, line by line; a test holds the two against each other.
local MAX_GRACE = 30000

local row = read(ROW)
if not row then
  return { 'unknown' }
end
if not lives(row) then
  return { 'ended', row.raw }
end
if has_expired(row) then
  return { 'expired', row.raw }
end
local is_bound = not row.bind or row.bind == BINDING

if row.cur == PRESENTED then
  if not is_bound then
    return { 'unbound', row.raw }
  end
  local moves = NEXT_ROW and NEXT_ROW ~= ROW
  if moves and redis.call('EXISTS', NEXT_ROW) == 1 then
    damaged()
  end

  record('renewed', row.tenant, row.subject, row, '')
  row.prev, row.nonce = nil, nil
  if NONCE ~= '' then
    row.prev, row.nonce = row.cur, NONCE
    redis.call('ZADD', GRACE, text(GRACE_UNTIL), row.key)
  end
  row.cur, row.grace, row.facts = NEXT, GRACE_UNTIL, NEW_FACTS or row.facts
  row.seen, row.idle = math.max(row.seen, TIME), math.min(math.max(row.idle, IDLE_UNTIL), row.expires)
  row.low = row.low + 1
  if row.low == 4294967296 then
    row.high, row.low = row.high + 1, 0
  end
  write(row)
  if moves then
    redis.call('RENAME', ROW, NEXT_ROW)
    redis.call('SET', PREFIX .. ':i:' .. row.key, SELECTOR, 'KEEPTTL')
  end
  return { 'rotated', row.raw }
end

-- SECURITY: a window is only open for the secret directly before the current one, and only where the caller wants one.
local is_open = WANTS_GRACE == 1 and TIME <= row.grace and row.grace - TIME <= MAX_GRACE + MAX_GRACE
if row.prev and row.nonce and row.prev == PRESENTED and is_bound and is_open then
  return { 'replayed', row.raw }
end
end_row(row, 'reused', text(REMEMBER_UNTIL))
return { 'reused', row.raw }
