-- KEYS: 7 the owner's epoch, 8 the token's mark.
-- ARGV: 5 session or '', 6 its subject's epoch, 7 its global epoch, 8 when the token was issued, in seconds.
if redis.call('EXISTS', KEYS[8]) == 1 then
  return 1
end
if ARGV[5] ~= '' then
  local row = read_by_key(ARGV[5])
  local is_it = row and row.se == tonumber(ARGV[6]) and row.ge == tonumber(ARGV[7])
  return is_it and lives(row) and 0 or 1
end
local issued = tonumber(ARGV[8])
for _, name in ipairs({ KEYS[7], EPOCH }) do
  local _, at = ends_of(redis.call('GET', name))
  if at and issued <= math.floor(at / 1000) then
    return 1
  end
end
return 0
