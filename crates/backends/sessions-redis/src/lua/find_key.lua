-- KEYS: 7 row. ARGV: 5 selector.
local row = read_hash(KEYS[7], FIELDS, NUMBERS)
if not row then
  return { 'none' }
end
return { 'found', unpack(read(row.id) and row.raw or damaged()) }
