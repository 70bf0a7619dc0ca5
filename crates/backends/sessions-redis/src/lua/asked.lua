-- The same names for whatever `current.lua` leaves to be judged: made from the row's, in the same slot, as they are seldom needed.
local PREFIX = string.match(ROW, '^{[^}]*}')
local META, OUTBOX, FEED, UNTIL = PREFIX .. ':meta', PREFIX .. ':outbox', PREFIX .. ':feed', PREFIX .. ':until'
local DIES, GRACE = PREFIX .. ':dies', PREFIX .. ':grace'
local NOTE, NEXT_ROW, NEW_FACTS = ARGV[2], KEYS[2], ARGV[3]
local TIME, IDLE_UNTIL, GRACE_UNTIL, PRESENTED, NEXT, NONCE, BINDING, SELECTOR, WANTS_GRACE, REMEMBER_UNTIL =
  struct.unpack('>i8i8i8c32c32Bc0Bc0Bc0Bi8', ASKED)
local NOW = string.format('%.0f', TIME)
