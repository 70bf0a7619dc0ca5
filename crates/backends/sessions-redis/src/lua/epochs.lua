-- ARGV: 5 owner.
local subject, global = epochs(ARGV[5])
return { text(subject), text(global) }
