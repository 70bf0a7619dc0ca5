-- KEYS: 7 row. ARGV: 5 purpose, 6 digest.
local row = read(ARGV[6])
if not row or row.purpose ~= ARGV[5] or tonumber(NOW) >= row.expires then
  return { 'none' }
end
local subject, global = epochs(row.owner)
if row.se ~= subject or row.ge ~= global then
  return { 'none' }
end

record('once_used', row.tenant, row.subject, nil, row.purpose)
remove(row, ARGV[6])
return { 'taken', row.tenant, row.subject, row.data }
