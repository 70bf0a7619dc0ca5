-- One step of GCRA on KEYS[1], whose value is the theoretical arrival time in whole microseconds. All numbers stay below 2^53,
-- so that doubles hold them exactly. ARGV: now, or nothing for this server's clock; depth; price; and, to give a charge back,
-- when it was made. Answers now, the state before, and the state after.
local now
if ARGV[1] == '' then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
else
  now = tonumber(ARGV[1])
end
local depth, price, charged = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local found, state = redis.call('GET', KEYS[1]), 0
if found then
  state = tonumber(found)
  -- Nothing but the digits that this script writes: no sign, fraction or exponent, and no nan, which every comparison refuses.
  if not (state and state >= 0 and state <= 9007199254740991) or string.format('%.0f', state) ~= found then
    return redis.error_reply('BARTIZAN the value is no state of a limit')
  end
end

local after
if charged then
  -- What has come back by itself is not given back again.
  local left = math.max(0, price - math.max(0, now - charged))
  after = math.max(state - left, math.min(state, now))
else
  local horizon = now + depth
  after = math.max(now, math.min(state, horizon))
  if after + price <= horizon then
    after = after + price
  end
end

if price > 0 and after ~= state then
  if after > now then
    -- Ten seconds more than it needs: a process whose own clock counts, and is late, still finds it.
    redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000) + 10000)
  elseif found then
    redis.call('DEL', KEYS[1])
  end
end
return { now, state, after }
