-- KEYS: 7 the owner's set.
-- ARGV: 5 remember until, 6 why, 7 'one' or 'others', 8 session, 9 owner.
local REMEMBER, WHY, WHICH, KEY, OWNER = ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local rows = {}
if WHICH == 'one' then
  rows[1] = read_by_key(KEY)
else
  rows = rows_of(KEYS[7])
end
local ended = {}
for _, row in ipairs(rows) do
  if row.owner == OWNER and lives(row) and (row.key == KEY) == (WHICH == 'one') then
    ended[#ended + 1] = row
  end
end
for _, row in ipairs(ended) do
  end_row(row, WHY, REMEMBER)
end
return { 'ended', text(#ended) }
