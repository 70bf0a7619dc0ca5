-- KEYS: 7 row, 8 its index, 9 the owner's set.
-- ARGV: 5 the most, 6 nothing; from 7 on the row.
local TENANT, SUBJECT, NAME, MADE = ARGV[10], ARGV[11], ARGV[13], ARGV[15]
must_be_new()
local living, gone = 0, {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[9], 0, -1)) do
  local row = read(id)
  if not row then
    gone[#gone + 1] = id
  elseif lives(row, integer(MADE)) then
    living = living + 1
  end
end
if living >= tonumber(ARGV[5]) then
  return { 'too_many' }
end

record('key_made', TENANT, SUBJECT, nil, NAME)
if #gone > 0 then
  redis.call('ZREM', KEYS[9], unpack(gone, 1, math.min(#gone, 1000)))
end
put()
return { 'done' }
