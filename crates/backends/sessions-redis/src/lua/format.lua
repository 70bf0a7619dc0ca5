-- In which format everything is stored. What an earlier version stored had none, and is not read as if it were of this one.
local FORMAT = '2'
local format = redis.call('HGET', META, 'format')
if format == FORMAT then
  return 1
end
if format or redis.call('EXISTS', META) == 1 then
  error({ err = 'FORMAT what is stored is of another version' })
end
redis.call('HSET', META, 'format', FORMAT)
return 1
