-- What every script shares. One script is one step: nothing of anybody else runs between its lines, and what it writes reaches
-- the log on disk as a whole or not at all. There is no rollback: whatever can be refused is refused before the first write.
--
-- A script is made of as few of these files as it needs: the server runs all of it anew at each call.
local EPOCH = PREFIX .. ':epoch'

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

-- The next place in the feed: one more than the last, or the caller's time in microseconds if that is more. So a server that takes
-- over from one that it lagged behind does not give a place a second time.
local function next_number()
  local number = integer(redis.call('HGET', META, 'last') or '0') + 1
  local jump = tonumber(NOW) * 1000
  if number < jump and jump < 4503599627370496 then
    number = jump
  end
  local last = text(number)
  redis.call('HSET', META, 'last', last)
  return last
end

-- Whom an entry of the outbox is about: as in the row of a session, whose bytes are taken from there.
local function who_of(key, se, ge, tenant, subject)
  return struct.pack('>c16I4I4I4I4', key, se, ge, #tenant, #subject) .. tenant .. subject
end

-- Writes an entry of the outbox, as `entry` of `packed.rs` reads it. `session` is a row, or nil.
--
-- Its number is the server's own for the stream, a time in milliseconds and a count, read as a thousand numbers a millisecond. So
-- after 999 the next one takes from the following millisecond: a clock that stands still or went back gives none twice.
local function record(what, tenant, subject, session, about)
  local who = session and session.who or who_of(string.rep('\0', 16), 0, 0, tenant, subject)
  local head = struct.pack('>i8Bc0I4c0B', tonumber(NOW), #what, what, #about, about, session and 1 or 0)
  local id = redis.call('XADD', OUTBOX, '*', 'e', head .. who .. NOTE)
  if string.sub(id, -4) == '-999' then
    redis.call('XSETID', OUTBOX, text(string.sub(id, 1, -5) + 1) .. '-0')
  end
end

-- Writes a revocation to the feed. `mark` is what purging has to delete with it.
local function revoke(scope, one, two, epoch, remember_until, mark)
  local number = next_number()
  redis.call('XADD', FEED, number .. '-0', 'scope', scope, 'one', one, 'two', two, 'epoch', epoch, 'at', NOW,
    'until', remember_until)
  redis.call('ZADD', UNTIL, remember_until, number .. ':' .. (mark or ''))
end

-- How often everything of somebody was ended, and when last; `stored` is what stands for it, if it ever was.
local function ends_of(stored)
  if not stored then
    return 0, nil
  end
  if #stored ~= 12 then
    damaged()
  end
  return struct.unpack('>I4i8', stored)
end

-- How often everything of this owner, and of everybody, was ended.
local function epochs(owner)
  local stored = redis.call('MGET', PREFIX .. ':e:' .. owner, EPOCH)
  return (ends_of(stored[1])), (ends_of(stored[2]))
end
