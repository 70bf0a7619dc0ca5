-- KEYS: 7 the token's mark.
-- ARGV: 5 its jti, 6 tenant, 7 subject, 8 remember until, 9 the jti's digest.
if redis.call('EXISTS', KEYS[7]) == 1 then
  return { 'done' }
end
revoke('token', ARGV[5], '', '', ARGV[8], ARGV[9])
record('token_revoked', ARGV[6], ARGV[7], nil, ARGV[5])
redis.call('SET', KEYS[7], '', 'PX', span(integer(ARGV[8])))
return { 'done' }
