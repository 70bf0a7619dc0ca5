-- Reads a hash as a table of its fields, numbers as numbers. `raw` are its values in the order of `names`, `where` is its key.
local function read_hash(name, names, numbers)
  local raw = redis.call('HMGET', name, unpack(names))
  if not raw[1] then
    if redis.call('EXISTS', name) == 1 then
      damaged()
    end
    return nil
  end
  local row = { where = name, raw = raw }
  for place, field in ipairs(names) do
    row[field] = raw[place]
  end
  for _, field in ipairs(numbers) do
    row[field] = integer(row[field])
  end
  return row
end
