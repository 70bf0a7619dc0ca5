-- KEYS: 7 row.
local row = read(KEYS[7])
if row and lives(row) then
  return answer('found', row)
end
return { 'none' }
