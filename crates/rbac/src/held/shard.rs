//! One part of a table: an index and the records that it leads to, in one piece of memory.
//!
//! ```text
//! | group | group | … | record | record | … | room |     record = hash, space, length of name, of value (4 bytes each), name, value
//! ```
//!
//! A copy shares the memory. Who changes a shard that is shared copies it first; who is alone changes it in place. A record
//! that outgrows its place moves to the end, and what it leaves behind is swept when it makes a quarter.
//!
//! Nothing here panics: were an offset ever wrong, the record would not be found.

mod index;

use std::{iter::repeat_n, sync::Arc};

use crate::held::shard::index::{GROUP, Group, Place, groups_for, is_crowded};

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
    /// How many groups the index has.
    groups: u32,
    /// Where the room behind the last record begins.
    used: u32,
    /// Records that a slot leads to.
    live: u32,
    /// Bytes of records that no slot leads to.
    dead: u32,
}

const HEAD: usize = 16;

impl Shard {
    #[inline]
    pub(super) fn get(&self, key: Key<'_>) -> Option<&[u8]> {
        self.find(key).map(|(_, _, record)| record.value)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.live == 0
    }

    pub(super) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.offsets().filter_map(|offset| self.record(offset)).map(|(_, record)| record)
    }

    /// Puts a value there, or in place of what was there. `None`: the shard would outgrow 4 GiB, and stays as it is.
    pub(super) fn put(&mut self, key: Key<'_>, value: &[u8]) -> Option<()> {
        let size = word(HEAD + key.name.len() + value.len())?;
        let Some((place, offset, old)) = self.find(key) else {
            return self.add(key, value, size);
        };
        let left = old.size()?;
        let is_last = offset.checked_add(left)? == self.used;
        if is_last || size == left {
            let used = if is_last { offset.checked_add(size)? } else { self.used };
            write(self.own(used)?, offset, key, value)?;
            self.used = used;
        } else {
            let offset = self.append(key, value, size)?;
            let (index, _) = self.parts()?;
            index::redirect(index, place, low(key.hash), offset)?;
            self.dead = self.dead.saturating_add(left);
        }
        self.sweep();
        Some(())
    }

    /// Takes a record out.
    pub(super) fn remove(&mut self, key: Key<'_>) -> Option<()> {
        let (place, offset, old) = self.find(key)?;
        let left = old.size()?;
        if self.live == 1 {
            *self = Self::default();
            return Some(());
        }
        self.own(self.used)?;
        let (index, records) = self.parts()?;
        let before = index.as_flattened().len();
        index::close(index, place, |offset| {
            let (hash, _) =
                records.get((offset as usize).checked_sub(before)?..)?.split_first_chunk::<4>()?;
            Some(u32::from_le_bytes(*hash))
        })?;
        self.live = self.live.saturating_sub(1);
        if offset.checked_add(left)? == self.used {
            self.used = offset;
        } else {
            self.dead = self.dead.saturating_add(left);
        }
        self.sweep();
        Some(())
    }

    /// Gives back all room that is not needed to find what is there.
    pub(super) fn compact(&mut self) {
        let groups = groups_for(self.live);
        let is_tight = self.dead == 0 && self.groups <= groups && self.used as usize == self.bytes.len();
        if !is_tight && let Some(compact) = self.rebuilt(groups, 0) {
            *self = compact;
        }
    }

    #[inline]
    fn find(&self, key: Key<'_>) -> Option<(Place, u32, Record<'_>)> {
        let found = index::find(self.index()?, low(key.hash), |offset| {
            // SECURITY: names are compared in full. Two subjects whose hashes agree must never share what they hold.
            let (_, record) = self.record(offset)?;
            (record.space == key.space && record.name == key.name).then_some((offset, record))
        });
        found.map(|(place, (offset, record))| (place, offset, record))
    }

    /// A record and its hash.
    #[inline]
    fn record(&self, offset: u32) -> Option<(u32, Record<'_>)> {
        // SECURITY: what a free slot, or a damaged one, leads to is no record, whatever it looks like.
        let rest = self.bytes.get(offset as usize..).filter(|_| offset as usize >= self.index_len())?;
        let (head, rest) = rest.split_first_chunk::<HEAD>()?;
        let head = u128::from_le_bytes(*head);
        let [hash, space, name, value] = [0, 32, 64, 96].map(|shift| (head >> shift & 0xffff_ffff) as u32);
        let (name, rest) = rest.split_at_checked(name as usize)?;
        Some((hash, Record { space, name, value: rest.get(..value as usize)? }))
    }

    fn offsets(&self) -> impl Iterator<Item = u32> {
        index::offsets(self.index().unwrap_or_default())
    }

    fn add(&mut self, key: Key<'_>, value: &[u8], size: u32) -> Option<()> {
        let live = self.live.checked_add(1)?;
        if is_crowded(live, self.groups) {
            let room = size as usize + self.quarter();
            *self = self.rebuilt(groups_for(live.saturating_add(live / 2)), room)?;
        }
        let offset = self.append(key, value, size)?;
        let (index, _) = self.parts()?;
        index::open(index, low(key.hash), offset)?;
        self.live = live;
        Some(())
    }

    /// Writes a record behind the last one. No slot leads there yet.
    fn append(&mut self, key: Key<'_>, value: &[u8], size: u32) -> Option<u32> {
        let offset = self.used;
        let used = offset.checked_add(size)?;
        write(self.own(used)?, offset, key, value)?;
        self.used = used;
        Some(offset)
    }

    #[inline]
    fn index(&self) -> Option<&[Group]> {
        Some(self.bytes.get(..self.index_len())?.as_chunks::<GROUP>().0)
    }

    #[inline]
    const fn index_len(&self) -> usize {
        self.groups as usize * GROUP
    }

    /// The index, to write, and the records. Only after [`own`](Self::own).
    fn parts(&mut self) -> Option<(&mut [Group], &[u8])> {
        let len = self.index_len();
        let (index, records) = Arc::get_mut(&mut self.bytes)?.split_at_mut_checked(len)?;
        Some((index.as_chunks_mut::<GROUP>().0, records))
    }

    /// Memory of at least so many bytes that nobody else sees.
    fn own(&mut self, bytes: u32) -> Option<&mut [u8]> {
        let is_alone = Arc::get_mut(&mut self.bytes).is_some();
        if !is_alone || self.bytes.len() < bytes as usize {
            // Who is alone is mostly being filled, and will want more soon.
            let room = if is_alone { self.quarter() } else { 0 };
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
            && let Some(swept) = self.rebuilt(self.groups, 0)
        {
            *self = swept;
        }
    }

    /// The same records in new memory, with so many groups and so much room behind.
    fn rebuilt(&self, groups: u32, room: usize) -> Option<Self> {
        let index = groups as usize * GROUP;
        let records = (self.used as usize).checked_sub(self.index_len() + self.dead as usize)?;
        let mut bytes = blank(index + records + room);
        let (index, mut rest) = Arc::get_mut(&mut bytes)?.split_at_mut_checked(index)?;
        let mut used = word(index.len())?;
        for offset in self.offsets() {
            let (hash, record) = self.record(offset)?;
            let size = record.size()?;
            let from = self.bytes.get(offset as usize..offset.checked_add(size)? as usize)?;
            let (to, behind) = rest.split_at_mut_checked(size as usize)?;
            to.copy_from_slice(from);
            rest = behind;
            index::open(index.as_chunks_mut::<GROUP>().0, hash, used)?;
            used = used.checked_add(size)?;
        }
        Some(Self { bytes, groups, used, live: self.live, dead: 0 })
    }

    const fn quarter(&self) -> usize {
        self.used as usize / 4
    }
}

impl Record<'_> {
    fn size(&self) -> Option<u32> {
        word(HEAD + self.name.len() + self.value.len())
    }
}

fn write(bytes: &mut [u8], offset: u32, key: Key<'_>, value: &[u8]) -> Option<()> {
    let rest = bytes.get_mut(offset as usize..)?;
    let (head, rest) = rest.split_at_mut_checked(HEAD)?;
    let (name, rest) = rest.split_at_mut_checked(key.name.len())?;
    let words = [low(key.hash), key.space, word(key.name.len())?, word(value.len())?];
    rest.get_mut(..value.len())?.copy_from_slice(value);
    for (to, word) in head.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *to = word.to_le_bytes();
    }
    name.copy_from_slice(key.name);
    Some(())
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
