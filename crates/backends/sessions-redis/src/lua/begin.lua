-- KEYS: 7 row, 8 its index, 9 the owner's set, 10 the owner's epoch; 11 the row that it replaces, if any.
-- ARGV: 5 remember until, 6 cap or '', 7 'oldest' or 'refuse', 8 its selector; 9 the row, whose epochs are
-- not those of now.

-- Byte order: how Lua compares other strings is up to the server's locale.
local function hex(bytes)
  return (string.gsub(bytes, '.', function(byte)
    return string.format('%02x', string.byte(byte))
  end))
end

-- A server that is out of memory refuses a script's first write unless it only deletes, and no later one. So a script that
-- adds a row is refused here, before it ends another one; a script that only ends something is never refused.
local function must_have_memory()
  redis.call('HSETNX', META, 'last', '0')
end

local REMEMBER, CAP, WHEN_FULL, SELECTOR = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local row = parsed(ARGV[9], KEYS[7])

if redis.call('EXISTS', KEYS[7], KEYS[8]) > 0 then
  damaged()
end
local replaced = KEYS[11] and read(KEYS[11])
if replaced and not lives(replaced) then
  replaced = nil
end
local crowded, gone = {}, {}
if CAP ~= '' then
  local rows
  rows, gone = rows_of(KEYS[9])
  for _, other in ipairs(rows) do
    if lives(other) and not has_expired(other) and not (replaced and replaced.key == other.key) then
      crowded[#crowded + 1] = other
    end
  end
  local too_many = #crowded + 1 - tonumber(CAP)
  if too_many > 0 and WHEN_FULL == 'refuse' then
    return { 'too_many' }
  end
  table.sort(crowded, function(one, other)
    if one.seen ~= other.seen then
      return one.seen < other.seen
    end
    return hex(one.key) < hex(other.key)
  end)
  for index = #crowded, math.max(too_many, 0) + 1, -1 do
    crowded[index] = nil
  end
end
row.se, row.ge = epochs(row.owner)

must_have_memory()
if replaced then
  end_row(replaced, 'replaced', REMEMBER)
end
for _, other in ipairs(crowded) do
  end_row(other, 'crowded', REMEMBER)
end
row.who = who_of(row.key, row.se, row.ge, row.tenant, row.subject)
record('begun', row.tenant, row.subject, row, '')
if #gone > 0 then
  redis.call('SREM', KEYS[9], unpack(gone, 1, math.min(#gone, 1000)))
end
redis.call('SET', KEYS[7], packed(row), 'PX', span(row.expires))
redis.call('SET', KEYS[8], SELECTOR, 'PX', span(row.expires))
redis.call('SADD', KEYS[9], row.key)
keep_set(KEYS[9], row.expires)
-- When it may be deleted: moved on as the session is used, by whoever purges.
redis.call('ZADD', DIES, text(math.min(row.idle, row.expires)), row.key)
if row.nonce then
  redis.call('ZADD', GRACE, text(row.grace), row.key)
end
return { 'begun', text(row.se), text(row.ge) }
