-- Rows of sessions: one string each, as `packed.rs` writes and reads it. Where a field stands is known to `current.lua` too.
local ROW_FORMAT = 2
local HEAD = '>BBc32BBc32i8I4I4i8i8c32c32c32i8i8i8BI4Bc16I4I4I4I4'
local HEAD_LENGTH, WHO_FROM = 258, 227
local NOTHING = string.rep('\0', 32)

local function has_only(table, types)
  for name, value in pairs(table) do
    if type(value) ~= types[name] then
      return false
    end
  end
  return true
end

-- What `bartizan_sessions::Facts` reads. A later version may know of more: its rows are not written by an earlier one.
local function is_facts(json)
  if json == '{}' then
    return true
  end
  local is_json, facts = pcall(cjson.decode, json)
  if not is_json or type(facts) ~= 'table' then
    return false
  end
  local types = { auth_time = 'number', acr = 'string', amr = 'table', roles = 'table', teams = 'table', client = 'string',
    device = 'table' }
  return has_only(facts, types) and (not facts.device or has_only(facts.device, { name = 'string', address = 'string' }))
end

local function parsed(raw, where)
  if #raw < HEAD_LENGTH then
    damaged()
  end
  local format, is_bound, owner, has_prev, has_nonce, cur, grace, high, low, seen, idle, prev, nonce, bind, expires, begun, ended,
    kind, facts_length, why_length, key, se, ge, tenant_length, subject_length = struct.unpack(HEAD, raw)
  local subject_from = HEAD_LENGTH + 1 + tenant_length
  local facts_from = subject_from + subject_length
  local why_from = facts_from + facts_length
  local facts = string.sub(raw, facts_from, why_from - 1)
  local is_sound = format == ROW_FORMAT and is_bound <= 1 and has_prev <= 1 and has_nonce <= 1 and kind <= 1
    and #raw == why_from + why_length - 1 and is_facts(facts)
  if not is_sound then
    damaged()
  end
  return { where = where, raw = raw, owner = owner, prev = has_prev == 1 and prev or nil, nonce = has_nonce == 1 and nonce or nil,
    cur = cur, grace = grace, high = high, low = low, seen = seen, idle = idle, bind = is_bound == 1 and bind or nil,
    expires = expires, begun = begun, kind = kind, ended = why_length > 0 and ended or nil, why = string.sub(raw, why_from),
    key = key, se = se, ge = ge, tenant = string.sub(raw, HEAD_LENGTH + 1, subject_from - 1),
    subject = string.sub(raw, subject_from, facts_from - 1), facts = facts, who = string.sub(raw, WHO_FROM, facts_from - 1) }
end

local function read(name)
  local raw = redis.call('GET', name)
  return raw and parsed(raw, name) or nil
end

local function read_by_key(key)
  local selector = redis.call('GET', PREFIX .. ':i:' .. key)
  if not selector then
    return nil
  end
  local row = read(PREFIX .. ':s:' .. selector)
  if row and row.key ~= key then
    damaged()
  end
  return row
end

-- Its bytes, as they are now. Whatever it no longer holds is gone from them.
local function packed(row)
  local head = struct.pack(HEAD, ROW_FORMAT, row.bind and 1 or 0, row.owner, row.prev and 1 or 0, row.nonce and 1 or 0, row.cur,
    row.grace, row.high, row.low, row.seen, row.idle, row.prev or NOTHING, row.nonce or NOTHING, row.bind or NOTHING,
    row.expires, row.begun, row.ended or 0, row.kind, #row.facts, #row.why, row.key, row.se, row.ge, #row.tenant, #row.subject)
  return head .. row.tenant .. row.subject .. row.facts .. row.why
end

-- Writes a row that was there before.
local function write(row)
  row.raw = packed(row)
  redis.call('SET', row.where, row.raw, 'KEEPTTL')
end

-- Neither ended nor of an earlier epoch. It may have expired.
local function lives(row)
  if row.ended then
    return false
  end
  local subject, global = epochs(row.owner)
  return row.se == subject and row.ge == global
end

local function has_expired(row)
  local now = tonumber(NOW)
  return now >= row.idle or now >= row.expires
end

local function end_row(row, why, remember_until)
  -- Deletes first: see must_have_memory in begin.lua.
  redis.call('SREM', PREFIX .. ':u:' .. row.owner, row.key)
  revoke('session', row.key, '', '', remember_until)
  record((why == 'logged_out' or why == 'reused') and why or 'ended', row.tenant, row.subject, row, why)
  row.prev, row.nonce, row.ended, row.why = nil, nil, tonumber(NOW), why
  write(row)
  redis.call('ZADD', DIES, 'LT', NOW, row.key)
end
