-- ARGV: 5 remember until, 6 why.
local ends, epoch = step(EPOCH)

redis.call('HDEL', META, '') -- Deletes nothing. First: see must_have_memory in begin.lua.
revoke('everything', '', '', epoch, ARGV[5])
record('everything_ended', '', '', nil, ARGV[6])
redis.call('SET', EPOCH, ends)
return { 'epoch', epoch }
