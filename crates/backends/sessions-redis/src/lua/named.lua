-- In every script but that of a rotation, KEYS[1..6] and ARGV[1..4] are these; what follows them stands at the head of the script.
local META, OUTBOX, FEED, UNTIL, DIES, GRACE = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local PREFIX, KEEP, NOW, NOTE = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
