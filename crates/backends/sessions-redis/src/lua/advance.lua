-- KEYS: 7 the counter. ARGV: 5 to where. Decimal text: a double does not hold every number of 64 bits.
local stands, to = redis.call('GET', KEYS[7]) or '0', ARGV[5]
if not string.find(stands, '^%d+$') then
  damaged()
end
local is_up = #stands < #to or (#stands == #to and stands < to)
if is_up then
  redis.call('SET', KEYS[7], to)
end
return is_up and 1 or 0
