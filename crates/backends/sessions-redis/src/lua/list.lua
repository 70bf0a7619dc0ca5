-- KEYS: 7 the owner's set.
local found = {}
for _, row in ipairs((rows_of(KEYS[7]))) do
  if lives(row) and not has_expired(row) then
    found[#found + 1] = row.raw
  end
end
return found
