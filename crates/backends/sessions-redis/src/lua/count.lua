-- How many sessions an end of everything ended, piece by piece, so that nobody else waits long: rows of an earlier epoch do not
-- change any more.
--
-- ARGV: 5 how many at once, 6 the last one of the piece before or '', 7 its score, 8 the epoch that ended.
local LAST, SCORE, EPOCH = ARGV[6], ARGV[7], tonumber(ARGV[8])
local from = 0
if LAST ~= '' then
  local rank = redis.call('ZRANK', DIES, LAST)
  from = rank and rank + 1 or redis.call('ZCOUNT', DIES, '-inf', '(' .. SCORE)
end
local names = redis.call('ZRANGE', DIES, from, from + tonumber(ARGV[5]) - 1, 'WITHSCORES')
local living = 0
for index = 1, #names, 2 do
  local row = read_by_key(names[index])
  if row and not row.ended and row.ge == EPOCH and row.se == epochs(row.owner) then
    living = living + 1
  end
end
return { text(living), names[#names - 1] or '', names[#names] or '' }
