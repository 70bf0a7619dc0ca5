-- KEYS: 7 the owner's set, which is sorted as it is answered.
local found = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[7], 0, -1)) do
  local row = read(id)
  if row then
    found[#found + 1] = row.raw
  end
end
return found
