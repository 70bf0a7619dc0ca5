-- The rows of an owner, and those names of the set that name nothing any more.
local function rows_of(set)
  local rows, gone = {}, {}
  for _, key in ipairs(redis.call('SMEMBERS', set)) do
    local row = read_by_key(key)
    if row then
      rows[#rows + 1] = row
    else
      gone[#gone + 1] = key
    end
  end
  return rows, gone
end
