-- Epochs that go up.
-- One more as it is stored, with when, which never goes back; and as text.
local function step(name)
  local epoch, at = ends_of(redis.call('GET', name))
  if epoch >= 4294967295 then
    error({ err = 'EXHAUSTED there is no further epoch' })
  end
  return struct.pack('>I4i8', epoch + 1, math.max(at or tonumber(NOW), tonumber(NOW))), text(epoch + 1)
end
