//! The index of a shard: groups of eight slots.
//!
//! ```text
//! group = eight marks of a byte, eight offsets of four        mark = the low bits of a hash, never zero; zero = free
//! ```
//!
//! A slot is in the group where its record's hash is at home, by its high bits, or behind it where that one was full.
//! INVARIANT(full-before): then all groups from its home up to its own are full. So a walk ends at the first group that is not.
//!
//! All eight marks are compared at once, in one word. A walk from slot to slot would end differently each time, and a processor
//! that guessed its end wrongly cannot fetch ahead.

use std::iter::successors;

const SLOTS: u32 = 8;

/// Bytes of a group.
pub(super) const GROUP: usize = 40;

/// Eight slots.
pub(super) type Group = [u8; GROUP];

/// Where a slot is.
#[derive(Clone, Copy)]
pub(super) struct Place {
    group: usize,
    slot: u32,
}

/// The first slot for this hash of which `is_it` says yes, by its offset.
#[inline]
pub(super) fn find<T>(
    index: &[Group],
    hash: u32,
    mut is_it: impl FnMut(u32) -> Option<T>,
) -> Option<(Place, T)> {
    let wanted = u64::from(mark(hash)) * ONES;
    let mut at = home(hash, index.len());
    for _ in 0..index.len() {
        let group = index.get(at)?;
        let marks = marks(group)?;
        let mut hits = zeros(marks ^ wanted);
        while hits != 0 {
            let slot = first(hits);
            if let Some(found) = is_it(offset(group, slot)?) {
                return Some((Place { group: at, slot }, found));
            }
            hits &= hits - 1;
        }
        if zeros(marks) != 0 {
            return None;
        }
        at = after(at, index.len());
    }
    None
}

/// The offsets of all records.
pub(super) fn offsets(index: &[Group]) -> impl Iterator<Item = u32> {
    index.iter().flat_map(|group| (0..SLOTS).filter_map(|slot| taken(group, slot)))
}

/// Leads there from the first free slot.
pub(super) fn open(index: &mut [Group], hash: u32, offset: u32) -> Option<()> {
    let groups = index.len();
    let at =
        walk(home(hash, groups), groups).find(|at| index.get(*at).is_some_and(|group| !is_full(group)))?;
    let group = index.get_mut(at)?;
    write(group, first(zeros(marks(group)?)), mark(hash), offset)
}

/// Leads elsewhere from the same slot.
pub(super) fn redirect(index: &mut [Group], place: Place, hash: u32, offset: u32) -> Option<()> {
    write(index.get_mut(place.group)?, place.slot, mark(hash), offset)
}

/// Frees a slot. Where its group was full, one that had to pass it moves up into it, and so on: INVARIANT(full-before).
pub(super) fn close(index: &mut [Group], place: Place, hash_of: impl Fn(u32) -> Option<u32>) -> Option<()> {
    let groups = index.len();
    let mut hole = place;
    let mut was_full = is_full(index.get(hole.group)?);
    for at in walk(after(hole.group, groups), groups) {
        if !was_full {
            break;
        }
        let group = index.get(at)?;
        was_full = is_full(group);
        let moves = (0..SLOTS).find_map(|slot| {
            let offset = taken(group, slot)?;
            let hash = hash_of(offset)?;
            let has_passed = distance(home(hash, groups), at, groups) >= distance(hole.group, at, groups);
            has_passed.then_some((slot, hash, offset))
        });
        // Where nothing passed the hole, what stands further on may still have.
        if let Some((slot, hash, offset)) = moves {
            write(index.get_mut(hole.group)?, hole.slot, mark(hash), offset)?;
            hole = Place { group: at, slot };
        }
    }
    write(index.get_mut(hole.group)?, hole.slot, 0, 0)
}

/// How many groups for so many records: six slots of eight are taken.
pub(super) const fn groups_for(live: u32) -> u32 {
    live.div_ceil(6)
}

/// Whether so many records are too many: more than seven slots of eight. INVARIANT(free-slot): so there is always a free one.
pub(super) const fn is_crowded(live: u32, groups: u32) -> bool {
    live as u64 > groups as u64 * 7
}

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW: u64 = ONES * 0x7f;

/// The high bit of each byte that is zero, and of no other: what is added to one byte never reaches the next.
///
/// SECURITY: the shorter well-known way also takes a one above a zero for a zero, and would find what a free slot leads to.
#[inline]
const fn zeros(word: u64) -> u64 {
    !(((word & LOW) + LOW) | word | LOW)
}

#[inline]
const fn first(bytes: u64) -> u32 {
    bytes.trailing_zeros() / 8
}

#[inline]
fn mark(hash: u32) -> u8 {
    let [low, ..] = hash.to_le_bytes();
    low.max(1)
}

#[inline]
fn marks(group: &Group) -> Option<u64> {
    group.first_chunk::<8>().map(|marks| u64::from_le_bytes(*marks))
}

#[inline]
fn offset(group: &Group, slot: u32) -> Option<u32> {
    let (_, offsets) = group.split_first_chunk::<8>()?;
    offsets.as_chunks::<4>().0.get(slot as usize).map(|offset| u32::from_le_bytes(*offset))
}

fn taken(group: &Group, slot: u32) -> Option<u32> {
    group.get(slot as usize).filter(|mark| **mark != 0)?;
    offset(group, slot)
}

fn write(group: &mut Group, slot: u32, mark: u8, offset: u32) -> Option<()> {
    let (marks, offsets) = group.split_first_chunk_mut::<8>()?;
    *marks.get_mut(slot as usize)? = mark;
    *offsets.as_chunks_mut::<4>().0.get_mut(slot as usize)? = offset.to_le_bytes();
    Some(())
}

#[inline]
fn is_full(group: &Group) -> bool {
    marks(group).is_some_and(|marks| zeros(marks) == 0)
}

/// Where a hash would like to be. Another part of the hash chose the shard.
#[inline]
fn home(hash: u32, groups: usize) -> usize {
    ((u64::from(hash) * groups as u64) >> 32) as usize
}

#[inline]
const fn after(at: usize, groups: usize) -> usize {
    if at + 1 >= groups { 0 } else { at + 1 }
}

/// Once around, from there on.
fn walk(from: usize, groups: usize) -> impl Iterator<Item = usize> {
    successors(Some(from), move |at| Some(after(*at, groups))).take(groups)
}

const fn distance(from: usize, to: usize, groups: usize) -> usize {
    if to >= from { to - from } else { to + groups - from }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn zeros_are_the_bytes_that_are_zero_and_no_other(
            bytes in proptest::array::uniform8(prop_oneof![0..3_u8, 0x7f..0x82_u8, 0xfe..=0xff_u8])
        ) {
            let expected = bytes.map(|byte| if byte == 0 { 0x80 } else { 0 });
            prop_assert_eq!(zeros(u64::from_le_bytes(bytes)), u64::from_le_bytes(expected));
        }
    }
}
