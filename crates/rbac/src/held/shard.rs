//! One part of a table: an open-addressing index and the records that it leads to, in one piece of memory.
//!
//! ```text
//! | slot | slot | … | record | record | … | room |          slot   = hash (4 bytes), offset of the record (4), all zero = free
//!                                                            record = space (4), lengths of name and value (4, 4), name, value
//! ```
//!
//! A copy shares the memory. Who changes a shard that is shared copies it first; who is alone changes it in place. A record
//! that outgrows its place moves to the end, and what it leaves behind is swept when it makes a quarter.
//!
//! Nothing here panics: were an offset ever wrong, the record would not be found.

use std::{iter::repeat_n, sync::Arc};

/// What a record is found by. Equal only if all of space and name are: the hash finds the place and is never taken for the name.
#[derive(Clone, Copy)]
pub(super) struct Key<'a> {
    pub(super) hash: u64,
    pub(super) space: u32,
    pub(super) name: &'a [u8],
}

/// A record as it lies there.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) space: u32,
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
}

#[derive(Clone, Default)]
pub(super) struct Shard {
    bytes: Arc<[u8]>,
    slots: u32,
    /// Where the room behind the last record begins.
    used: u32,
    /// Records that a slot leads to.
    live: u32,
    /// Bytes of records that no slot leads to.
    dead: u32,
}

const SLOT: usize = 8;
const HEAD: usize = 12;

impl Shard {
    #[inline]
    pub(super) fn get(&self, key: Key<'_>) -> Option<&[u8]> {
        self.find(key).map(|(_, _, record)| record.value)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.live == 0
    }

    pub(super) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.taken().filter_map(|slot| self.record(slot.offset))
    }

    /// Puts a value there, or in place of what was there. `None`: the shard would outgrow 4 GiB, and stays as it is.
    pub(super) fn put(&mut self, key: Key<'_>, value: &[u8]) -> Option<()> {
        let size = HEAD + key.name.len() + value.len();
        let Some((at, slot, old)) = self.find(key) else {
            return self.add(key, value, size);
        };
        let left = old.size()?;
        let end = slot.offset.checked_add(word(size)?)?;
        let last = slot.offset.checked_add(left)? == self.used;
        if last || word(size)? == left {
            let used = if last { end } else { self.used };
            write(self.own(used)?, slot.offset, key, value)?;
            self.used = used;
            self.sweep();
            return Some(());
        }
        let offset = self.append(key, value, size)?;
        Slot { offset, ..slot }.write(self.index()?, at)?;
        self.dead = self.dead.saturating_add(left);
        self.sweep();
        Some(())
    }

    /// Takes a record out.
    pub(super) fn remove(&mut self, key: Key<'_>) -> Option<()> {
        let (at, slot, old) = self.find(key)?;
        let left = old.size()?;
        if self.live == 1 {
            *self = Self::default();
            return Some(());
        }
        self.own(self.used)?;
        close(self.index()?, at)?;
        self.live = self.live.saturating_sub(1);
        if slot.offset.checked_add(left)? == self.used {
            self.used = slot.offset;
        } else {
            self.dead = self.dead.saturating_add(left);
        }
        self.sweep();
        Some(())
    }

    /// Gives back all room that is not needed to find what is there.
    pub(super) fn compact(&mut self) {
        let slots = slots_for(self.live);
        let tight = self.dead == 0 && self.slots <= slots && self.used as usize == self.bytes.len();
        if !tight && let Some(compact) = self.rebuilt(slots, 0) {
            *self = compact;
        }
    }

    #[inline]
    fn find(&self, key: Key<'_>) -> Option<(usize, Slot, Record<'_>)> {
        let (slots, _) = self.bytes.get(..self.slots as usize * SLOT)?.as_chunks::<SLOT>();
        let hash = low(key.hash);
        let mut at = home(hash, slots.len());
        // INVARIANT(free-slot): a shard always has one; the count only bounds the walk.
        for _ in 0..slots.len() {
            let slot = Slot::read(slots.get(at)?);
            if slot.is_free() {
                return None;
            }
            // SECURITY: names are compared in full. Two subjects whose hashes agree must never share what they hold.
            if slot.hash == hash
                && let Some(record) = self.record(slot.offset)
                && record.space == key.space
                && record.name == key.name
            {
                return Some((at, slot, record));
            }
            at = after(at, slots.len());
        }
        None
    }

    #[inline]
    fn record(&self, offset: u32) -> Option<Record<'_>> {
        let rest = self.bytes.get(offset as usize..)?;
        let (head, rest) = rest.split_first_chunk::<HEAD>()?;
        let [s0, s1, s2, s3, n0, n1, n2, n3, v0, v1, v2, v3] = *head;
        let (name, rest) = rest.split_at_checked(u32::from_le_bytes([n0, n1, n2, n3]) as usize)?;
        let value = rest.get(..u32::from_le_bytes([v0, v1, v2, v3]) as usize)?;
        Some(Record { space: u32::from_le_bytes([s0, s1, s2, s3]), name, value })
    }

    fn taken(&self) -> impl Iterator<Item = Slot> {
        let index = self.bytes.get(..self.slots as usize * SLOT).unwrap_or_default();
        index.as_chunks::<SLOT>().0.iter().map(Slot::read).filter(|slot| !slot.is_free())
    }

    fn add(&mut self, key: Key<'_>, value: &[u8], size: usize) -> Option<()> {
        let live = self.live.checked_add(1)?;
        // INVARIANT(free-slot): seven of eight at most are taken.
        if u64::from(live) * 8 > u64::from(self.slots) * 7 {
            let room = size + self.quarter();
            *self = self.rebuilt(slots_for(live.saturating_add(live / 2 + 2)), room)?;
        }
        let offset = self.append(key, value, size)?;
        open(self.index()?, Slot { hash: low(key.hash), offset })?;
        self.live = live;
        Some(())
    }

    /// Writes a record behind the last one. No slot leads there yet.
    fn append(&mut self, key: Key<'_>, value: &[u8], size: usize) -> Option<u32> {
        let offset = self.used;
        let used = offset.checked_add(word(size)?)?;
        write(self.own(used)?, offset, key, value)?;
        self.used = used;
        Some(offset)
    }

    /// The slots, to write. Only after [`own`](Self::own).
    fn index(&mut self) -> Option<&mut [[u8; SLOT]]> {
        let index = Arc::get_mut(&mut self.bytes)?.get_mut(..self.slots as usize * SLOT)?;
        Some(index.as_chunks_mut::<SLOT>().0)
    }

    /// Memory of at least so many bytes that nobody else sees.
    fn own(&mut self, bytes: u32) -> Option<&mut [u8]> {
        let alone = Arc::get_mut(&mut self.bytes).is_some();
        if !alone || self.bytes.len() < bytes as usize {
            // Who is alone is mostly being filled, and will want more soon.
            let room = if alone { self.quarter() } else { 0 };
            let mut copy = blank(bytes as usize + room);
            // A last record that shrinks needs less than was used.
            let used = self.used.min(bytes) as usize;
            Arc::get_mut(&mut copy)?.get_mut(..used)?.copy_from_slice(self.bytes.get(..used)?);
            self.bytes = copy;
        }
        Arc::get_mut(&mut self.bytes)
    }

    fn sweep(&mut self) {
        if self.dead > self.used / 4
            && let Some(swept) = self.rebuilt(self.slots, 0)
        {
            *self = swept;
        }
    }

    /// The same records in new memory, with so many slots and so much room behind.
    fn rebuilt(&self, slots: u32, room: usize) -> Option<Self> {
        let index = slots as usize * SLOT;
        let records = (self.used as usize).checked_sub(self.slots as usize * SLOT + self.dead as usize)?;
        let mut bytes = blank(index + records + room);
        let (index, mut rest) = Arc::get_mut(&mut bytes)?.split_at_mut_checked(index)?;
        let mut used = word(index.len())?;
        for slot in self.taken() {
            let size = self.record(slot.offset)?.size()?;
            let from = self.bytes.get(slot.offset as usize..slot.offset.checked_add(size)? as usize)?;
            let (to, behind) = rest.split_at_mut_checked(size as usize)?;
            to.copy_from_slice(from);
            rest = behind;
            open(index.as_chunks_mut::<SLOT>().0, Slot { offset: used, ..slot })?;
            used = used.checked_add(size)?;
        }
        Some(Self { bytes, slots, used, live: self.live, dead: 0 })
    }

    fn quarter(&self) -> usize {
        self.used as usize / 4
    }
}

impl Record<'_> {
    fn size(&self) -> Option<u32> {
        word(HEAD + self.name.len() + self.value.len())
    }
}

#[derive(Clone, Copy)]
struct Slot {
    hash: u32,
    /// Never zero where there is a slot: the slots themselves lie before all records.
    offset: u32,
}

impl Slot {
    #[inline]
    fn read(bytes: &[u8; SLOT]) -> Self {
        let both = u64::from_le_bytes(*bytes);
        Self { hash: low(both), offset: low(both >> 32) }
    }

    const fn is_free(self) -> bool {
        self.offset == 0
    }

    fn write(self, index: &mut [[u8; SLOT]], at: usize) -> Option<()> {
        *index.get_mut(at)? = (u64::from(self.offset) << 32 | u64::from(self.hash)).to_le_bytes();
        Some(())
    }
}

/// Puts a slot into the first free place from its home on.
fn open(index: &mut [[u8; SLOT]], slot: Slot) -> Option<()> {
    let mut at = home(slot.hash, index.len());
    for _ in 0..index.len() {
        if Slot::read(index.get(at)?).is_free() {
            return slot.write(index, at);
        }
        at = after(at, index.len());
    }
    None
}

/// Frees a slot, and moves up those that had to pass it, so that none is cut off from its home.
fn close(index: &mut [[u8; SLOT]], at: usize) -> Option<()> {
    let slots = index.len();
    let (mut hole, mut at) = (at, after(at, slots));
    for _ in 0..slots {
        let slot = Slot::read(index.get(at)?);
        if slot.is_free() {
            break;
        }
        if distance(home(slot.hash, slots), at, slots) >= distance(hole, at, slots) {
            slot.write(index, hole)?;
            hole = at;
        }
        at = after(at, slots);
    }
    Slot { hash: 0, offset: 0 }.write(index, hole)
}

fn write(bytes: &mut [u8], offset: u32, key: Key<'_>, value: &[u8]) -> Option<()> {
    let rest = bytes.get_mut(offset as usize..)?;
    let (head, rest) = rest.split_at_mut_checked(HEAD)?;
    let (name, rest) = rest.split_at_mut_checked(key.name.len())?;
    let words = [key.space, word(key.name.len())?, word(value.len())?];
    rest.get_mut(..value.len())?.copy_from_slice(value);
    for (to, word) in head.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *to = word.to_le_bytes();
    }
    name.copy_from_slice(key.name);
    Some(())
}

/// Where a hash would like to be. Another part of the hash chose the shard.
#[inline]
fn home(hash: u32, slots: usize) -> usize {
    ((u64::from(hash) * slots as u64) >> 32) as usize
}

#[inline]
const fn after(at: usize, slots: usize) -> usize {
    if at + 1 == slots { 0 } else { at + 1 }
}

const fn distance(from: usize, to: usize, slots: usize) -> usize {
    if to >= from { to - from } else { to + slots - from }
}

/// Two of three slots are taken: of the walks to a record, most end at the first slot or the second.
const fn slots_for(live: u32) -> u32 {
    live.saturating_add(live / 2 + 1)
}

fn blank(len: usize) -> Arc<[u8]> {
    repeat_n(0, len).collect()
}

fn word(len: usize) -> Option<u32> {
    u32::try_from(len).ok()
}

const fn low(both: u64) -> u32 {
    (both & 0xffff_ffff) as u32
}

#[cfg(test)]
impl Shard {
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.bytes, &other.bytes)
    }

    pub(super) fn memory(&self) -> usize {
        self.bytes.len()
    }
}

#[cfg(test)]
mod tests;
