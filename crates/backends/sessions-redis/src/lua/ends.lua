-- Epochs that go up.
-- One more; and when, which never goes back.
local function step(name)
  local ends = redis.call('HMGET', name, 'epoch', 'at')
  local epoch = integer(ends[1] or '0') + 1
  if epoch > 4294967295 then
    error({ err = 'EXHAUSTED there is no further epoch' })
  end
  local at = NOW
  if ends[2] and integer(ends[2]) > tonumber(NOW) then
    at = ends[2]
  end
  return text(epoch), at
end
