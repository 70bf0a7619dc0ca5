-- Rows of one-time tokens.
local FIELDS = { 'purpose', 'tenant', 'subject', 'owner', 'data', 'expires', 'se', 'ge', 'index' }
local NUMBERS = { 'expires', 'se', 'ge' }

local function read(digest)
  local row = read_hash(PREFIX .. ':o:' .. digest, FIELDS, NUMBERS)
  if not row then
    return nil
  end
  if not (row.tenant and row.subject and row.data and is_bytes(row.owner, 32) and is_bytes(row.index, 32)) then
    damaged()
  end
  return row
end

local function remove(row, digest)
  redis.call('DEL', row.where)
  redis.call('ZREM', DIES, digest)
  local index = PREFIX .. ':w:' .. row.index
  if redis.call('GET', index) == digest then
    redis.call('DEL', index)
  end
end
