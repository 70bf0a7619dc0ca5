-- ARGV: 5 id. It was used at NOW.
local row = read(ARGV[5])
if row and (not row.used or integer(row.used) < tonumber(NOW)) then
  redis.call('HSET', row.where, 'used', NOW)
end
return { 'done' }
