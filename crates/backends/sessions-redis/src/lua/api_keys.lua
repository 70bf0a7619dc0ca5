-- Rows of API keys. Their fields, in the order in which `row.rs` writes and reads them.
local FIELDS = { 'id', 'selector', 'secret', 'tenant', 'subject', 'owner', 'name', 'scopes', 'made', 'expires', 'used', 'ended' }
local NUMBERS = { 'made', 'expires' }

local function read(id)
  local selector = redis.call('GET', PREFIX .. ':n:' .. id)
  local row = selector and read_hash(PREFIX .. ':k:' .. selector, FIELDS, NUMBERS)
  if not row then
    return nil
  end
  local is_sound = row.id == id and row.selector == selector and is_bytes(row.secret, 32) and is_bytes(row.owner, 32)
    and row.tenant and row.subject and row.name and row.scopes
    and (not row.used or integer(row.used)) and (not row.ended or integer(row.ended))
  if not is_sound then
    damaged()
  end
  return row
end

local function lives(row, now)
  return not row.ended and now < row.expires
end

-- Writes a new row: KEYS[7] its name, KEYS[8] its index, KEYS[9] the owner's set; ARGV from 7 on its fields.
local function must_be_new()
  if redis.call('EXISTS', KEYS[7], KEYS[8]) > 0 then
    damaged()
  end
end

local function put()
  local row, written = {}, {}
  for place, field in ipairs(FIELDS) do
    row[field] = ARGV[6 + place]
    if (field ~= 'used' and field ~= 'ended') or row[field] ~= '' then
      written[#written + 1] = field
      written[#written + 1] = row[field]
    end
  end
  local expires = integer(row.expires)
  redis.call('HSET', KEYS[7], unpack(written))
  redis.call('PEXPIRE', KEYS[7], span(expires))
  redis.call('SET', KEYS[8], row.selector, 'PX', span(expires))
  redis.call('ZADD', KEYS[9], row.made, row.id)
  keep_set(KEYS[9], expires)
  redis.call('ZADD', DIES, row.expires, row.id)
end
