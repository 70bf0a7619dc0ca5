-- KEYS: 7 row.
local row = read(KEYS[7])
if row and lives(row) then
  return { 'found', row.raw }
end
return { 'none' }
