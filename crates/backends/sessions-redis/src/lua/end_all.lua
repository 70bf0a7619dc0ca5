-- Everything of a subject. Its rows stay as they are: the epoch makes them dead, and with them whatever else bears an earlier one.
--
-- KEYS: 7 the owner's set, 8 the owner's epoch.
-- ARGV: 5 remember until, 6 why, 7 tenant, 8 subject.
local REMEMBER, WHY, TENANT, SUBJECT = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local living = 0
for _, row in ipairs((rows_of(KEYS[7]))) do
  if lives(row) then
    living = living + 1
  end
end
local ends, epoch = step(KEYS[8])

redis.call('DEL', KEYS[7]) -- First: see must_have_memory in begin.lua.
revoke('subject', TENANT, SUBJECT, epoch, REMEMBER)
record('all_ended', TENANT, SUBJECT, nil, WHY)
redis.call('SET', KEYS[8], ends)
return { 'ended', text(living) }
