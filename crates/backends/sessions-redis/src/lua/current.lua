-- A rotation's usual case, before anything that the others need is so much as defined: the current secret of a living session. It
-- writes all of it and answers, or writes nothing and leaves the question to what follows, which judges anew and alone. Each call
-- of the server and each name here is time that every rotation takes: see docs/adr/0017.
--
-- KEYS: 1 row; 2 the row's name under its next selector, if that changes.
-- ARGV: 1 what is asked, packed as by `pack_asked` of `packed.rs`; 2 note; 3 facts, if they change.
local ROW, ASKED = KEYS[1], ARGV[1]
local call, sub, unpack_all, pack_all = redis.call, string.sub, struct.unpack, struct.pack
local stored = call('GET', ROW)
if stored and not KEYS[2] and not ARGV[3] then
  local now, idle_until, grace_until, presented, next, nonce, binding = unpack_all('>i8i8i8c32c32Bc0Bc0', ASKED)
  local format, bound, owner, held, current, _, high, low, seen, idle = unpack_all('>BBc32I2c32i8I4I4i8i8', stored)
  local expires = unpack_all('>i8', stored, 197)
  if current == presented and format == 2 and now < idle and now < expires
    and (bound == 0 or (bound == 1 and binding == sub(stored, 165, 196))) then
    local kind, facts, why = unpack_all('>BI4B', stored, 221)
    local subject_epoch, global_epoch, tenant, subject = unpack_all('>c4c4I4I4', stored, 243)
    local prefix = sub(ROW, 1, -35)
    local ends = call('MGET', prefix .. 'e:' .. owner, prefix .. 'epoch')
    if kind <= 1 and why == 0 and #stored == 258 + tenant + subject + facts
      and (held == 0 or held == 257 or held == 256 or held == 1)
      and subject_epoch == (ends[1] and sub(ends[1], 1, 4) or '\0\0\0\0')
      and global_epoch == (ends[2] and sub(ends[2], 1, 4) or '\0\0\0\0') then
      if idle < idle_until then
        idle = idle_until
      end
      if expires < idle then
        idle = expires
      end
      if seen < now then
        seen = now
      end
      low = low + 1
      if low == 4294967296 then
        high, low = high + 1, 0
      end

      local id = call('XADD', prefix .. 'outbox', '*', 'e',
        sub(ASKED, 1, 8) .. '\7renewed\0\0\0\0\1' .. sub(stored, 227, 258 + tenant + subject) .. ARGV[2])
      if #id > 16 and sub(id, -4) == '-999' then
        -- As `record` of common.lua.
        call('XSETID', prefix .. 'outbox', string.format('%.0f-0', sub(id, 1, -5) + 1))
      end
      local now_held = nonce ~= '' and 257 or 0
      local changed = pack_all('>I2c32i8I4I4i8i8', now_held, next, grace_until, high, low, seen, idle)
      if nonce ~= '' then
        call('SETRANGE', ROW, '34', changed .. current .. nonce)
        call('ZADD', prefix .. 'grace', grace_until, sub(stored, 227, 242))
      elseif held ~= 0 then
        -- SECURITY: with them, whoever has the secret before has the one that was current.
        call('SETRANGE', ROW, '34', changed .. string.rep('\0', 64))
      else
        call('SETRANGE', ROW, '34', changed)
      end
      return sub(changed, 43) .. sub(stored, 197)
    end
  end
end
