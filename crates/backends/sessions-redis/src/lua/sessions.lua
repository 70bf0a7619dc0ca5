-- Rows of sessions. Written out, and in no loop: a rotation is as fast as this is.

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

-- Where fields that a rotation changes stand in `raw`, the values in the order in which `row.rs` reads them.
local SEEN, IDLE, GEN, FACTS = 9, 10, 12, 13

local function read(name)
  local raw = redis.call('HMGET', name, 'key', 'se', 'ge', 'kind', 'tenant', 'subject', 'owner', 'begun', 'seen', 'idle',
    'expires', 'gen', 'facts', 'cur', 'prev', 'nonce', 'grace', 'bind', 'ended', 'why')
  local key, se, ge, kind, tenant, subject, owner, begun, seen, idle, expires, gen, facts, cur, prev, nonce, grace, bind, ended,
    why = unpack(raw)
  if not key then
    if redis.call('EXISTS', name) == 1 then
      damaged()
    end
    return nil
  end
  local is_sound = #key == 16 and is_bytes(owner, 32) and is_bytes(cur, 32) and (kind == 'refresh' or kind == 'cookie')
    and tenant and subject and facts and is_facts(facts) and gen and find(gen, '^%d+$')
    and (not prev or #prev == 32) and (not nonce or #nonce == 32) and (not bind or #bind == 32) and not ended == not why
  if not is_sound then
    damaged()
  end
  integer(begun)
  return { where = name, raw = raw, key = key, se = integer(se), ge = integer(ge), tenant = tenant, subject = subject,
    owner = owner, seen = integer(seen), idle = integer(idle), expires = integer(expires), gen = gen, facts = facts, cur = cur,
    prev = prev, nonce = nonce, grace = integer(grace), bind = bind, ended = ended }
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

-- One more than a number of 64 bits, which a double does not hold.
local function more(digits)
  local head, last, nines = string.match(digits, '^(%d-)([0-8]?)(9*)$')
  return head .. (last == '' and '1' or text(tonumber(last) + 1)) .. string.rep('0', #nines)
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
  redis.call('HDEL', row.where, 'prev', 'nonce')
  revoke('session', row.key, '', '', remember_until)
  record((why == 'logged_out' or why == 'reused') and why or 'ended', row.tenant, row.subject, row, why)
  redis.call('HSET', row.where, 'ended', NOW, 'why', why)
  redis.call('ZADD', DIES, 'LT', NOW, row.key)
  redis.call('SREM', PREFIX .. ':u:' .. row.owner, row.key)
end

-- A row, and behind it what is to be said of it.
local function answer(word, row)
  local raw = row.raw
  raw[21] = word
  return raw
end
