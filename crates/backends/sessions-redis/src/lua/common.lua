-- What every script shares. One script is one step: nothing of anybody else runs between its lines, and what it writes reaches
-- the log on disk as a whole or not at all. There is no rollback: whatever can be refused is refused before the first write.
--
-- In every script KEYS[1..6] and ARGV[1..4] are these; what follows them stands at the head of the script. A script is made of as
-- few of these files as it needs: the server runs all of it anew at each call.
local META, OUTBOX, FEED, UNTIL, DIES, GRACE = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local PREFIX, KEEP, NOW, NOTE = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

-- A double holds whole numbers exactly up to 2^53: milliseconds of any year, and numbers of the kind of `next_number` until 2112.
local function text(number)
  return string.format('%.0f', number)
end

local function damaged()
  error({ err = 'DAMAGED what is stored cannot be read' })
end

local find = string.find

local function integer(value)
  if not value or #value > 16 or not find(value, '^%-?%d+$') then
    damaged()
  end
  return tonumber(value)
end

local function is_bytes(value, length)
  return value and #value == length
end

-- The next place in the feed and the outbox: one more than the last, or the caller's time in microseconds if that is more. So a
-- server that takes over from one that it lagged behind does not give a number a second time.
local last

local function next_number()
  local number = integer(last or redis.call('HGET', META, 'last') or '0') + 1
  local jump = tonumber(NOW) * 1000
  if number < jump and jump < 4503599627370496 then
    number = jump
  end
  last = text(number)
  redis.call('HSET', META, 'last', last)
  return last
end

-- Writes an entry of the outbox. `session` is a row, or nil.
local function record(what, tenant, subject, session, about)
  local key, se, ge = '', '', ''
  if session then
    key, se, ge = session.key, session.se, session.ge
  end
  redis.call('XADD', OUTBOX, next_number() .. '-0', 'at', NOW, 'what', what, 'tenant', tenant, 'subject', subject,
    'key', key, 'se', se, 'ge', ge, 'about', about, 'note', NOTE)
end

-- Writes a revocation to the feed. `mark` is what purging has to delete with it.
local function revoke(scope, one, two, epoch, remember_until, mark)
  local number = next_number()
  redis.call('XADD', FEED, number .. '-0', 'scope', scope, 'one', one, 'two', two, 'epoch', epoch, 'at', NOW,
    'until', remember_until)
  redis.call('ZADD', UNTIL, remember_until, number .. ':' .. (mark or ''))
end

-- How often everything of this owner, and of everybody, was ended.
local function epochs(owner)
  local subject = redis.call('HGET', PREFIX .. ':e:' .. owner, 'epoch')
  local meta = redis.call('HMGET', META, 'epoch', 'last')
  last = meta[2]
  return subject and integer(subject) or 0, meta[1] and integer(meta[1]) or 0
end
