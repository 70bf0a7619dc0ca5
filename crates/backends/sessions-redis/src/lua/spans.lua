-- How long a key outlives `expires`: by KEEP. As a span of time, so that the server's clock need not agree with the caller's.
local function span(expires)
  return text(math.min(math.max(expires - tonumber(NOW), 0) + tonumber(KEEP), 1e13))
end

-- A set of names lives as long as the last of what it names.
local function keep_set(name, expires)
  local wanted = span(expires)
  if redis.call('PTTL', name) < tonumber(wanted) then
    redis.call('PEXPIRE', name, wanted)
  end
end
