//! A map from fingerprints that readers never lock.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use arc_swap::ArcSwap;

/// What is kept under a fingerprint.
pub(crate) trait Kept: Copy {
    /// Of two that were told of one thing, what holds.
    fn joined(self, other: Self) -> Self;
    /// Until when it matters, in seconds since 1970.
    fn until(self) -> u32;
}

/// 1,024 parts, each a sorted table that is replaced as a whole: a reader loads one pointer, and a writer copies one part.
pub(crate) struct Table<V> {
    parts: Box<[ArcSwap<Part<V>>]>,
    entries: AtomicUsize,
    writer: Mutex<usize>,
}

/// Fingerprints in order, and what is kept under each: no gaps, no pointers. Their halves lie apart, so that whoever looks for one
/// that is not there reads one or two cache lines of the first halves and nothing else.
struct Part<V> {
    highs: Box<[u64]>,
    lows: Box<[u64]>,
    values: Box<[V]>,
}

/// The first bits of a fingerprint are its part.
const PART_BITS: u32 = 10;

/// How many parts are cleared of what no longer matters in one go.
const SWEPT: usize = 16;

impl<V: Kept> Table<V> {
    pub(crate) fn new() -> Self {
        let empty = Arc::new(Part { highs: Box::default(), lows: Box::default(), values: Box::default() });
        let parts = (0..1 << PART_BITS).map(|_| ArcSwap::new(empty.clone())).collect();
        Self { parts, entries: AtomicUsize::new(0), writer: Mutex::new(0) }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.load(Ordering::Acquire)
    }

    #[inline]
    pub(crate) fn get(&self, key: u128) -> Option<V> {
        // SECURITY: a writer counts before it puts in, so that nothing is overlooked here.
        if self.entries.load(Ordering::Acquire) == 0 {
            return None;
        }
        let part = self.parts.get(part_of(key))?.load();
        part.find(key).and_then(|at| part.values.get(at)).copied()
    }

    /// Puts these in, and takes out of the parts that are written anyway what no longer matters at `now`.
    pub(crate) fn insert(&self, mut entries: Vec<(u128, V)>, now: u32) {
        if entries.is_empty() {
            return;
        }
        entries.sort_unstable_by_key(|(key, _)| *key);
        let _one = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        for entries in entries.chunk_by(|(one, _), (other, _)| part_of(*one) == part_of(*other)) {
            let Some(part) = entries.first().and_then(|(key, _)| self.parts.get(part_of(*key))) else {
                continue;
            };
            self.entries.fetch_add(entries.len(), Ordering::AcqRel);
            let old = part.load_full();
            let new = old.with(entries, now);
            let (before, after) = (old.highs.len() + entries.len(), new.highs.len());
            part.store(Arc::new(new));
            self.entries.fetch_sub(before - after.min(before), Ordering::AcqRel);
        }
    }

    /// Takes what no longer matters at `now` out of some of the parts; the next call goes on with the next ones.
    pub(crate) fn sweep(&self, now: u32) {
        let mut next = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let start = *next;
        *next = (start + SWEPT) % self.parts.len().max(1);
        for part in self.parts.iter().cycle().skip(start).take(SWEPT) {
            let old = part.load_full();
            if old.values.iter().any(|value| value.until() < now) {
                let new = old.with(&[], now);
                let gone = old.highs.len() - new.highs.len();
                part.store(Arc::new(new));
                self.entries.fetch_sub(gone, Ordering::AcqRel);
            }
        }
    }

    /// The bytes that it takes, without what the allocator adds.
    pub(crate) fn bytes(&self) -> usize {
        let part = |part: &ArcSwap<Part<V>>| {
            let part = part.load();
            let shared =
                if part.highs.is_empty() { 0 } else { size_of::<Part<V>>() + 2 * size_of::<usize>() };
            shared + part.highs.len() * (size_of::<u128>() + size_of::<V>())
        };
        self.parts.len() * size_of::<ArcSwap<Part<V>>>() + self.parts.iter().map(part).sum::<usize>()
    }
}

const fn part_of(key: u128) -> usize {
    (key >> (u128::BITS - PART_BITS)) as usize
}

const fn halves(key: u128) -> (u64, u64) {
    ((key >> 64) as u64, key as u64)
}

impl<V: Kept> Part<V> {
    /// Fingerprints are evenly spread, so that one lies about where it should: a look there and some steps, and not a search by
    /// halves through as many cache lines.
    #[inline]
    fn find(&self, key: u128) -> Option<usize> {
        let (high, low) = halves(key);
        let within = u128::from(high << PART_BITS);
        let mut at = usize::try_from((within * self.highs.len() as u128) >> 64).unwrap_or_default();
        while self.highs.get(at).is_some_and(|found| *found < high) {
            at += 1;
        }
        while at.checked_sub(1).and_then(|before| self.highs.get(before)).is_some_and(|found| *found >= high)
        {
            at -= 1;
        }
        // Of a million, two of one first half are met once in 2^25.
        while self.highs.get(at) == Some(&high) {
            if self.lows.get(at) == Some(&low) {
                return Some(at);
            }
            at += 1;
        }
        None
    }

    /// The same with these, which are in order, and without what no longer matters.
    fn with(&self, entries: &[(u128, V)], now: u32) -> Self {
        let mut both: Vec<(u128, V)> = Vec::with_capacity(self.highs.len() + entries.len());
        let keys =
            self.highs.iter().zip(&self.lows).map(|(high, low)| u128::from(*high) << 64 | u128::from(*low));
        both.extend(keys.zip(self.values.iter().copied()));
        both.extend_from_slice(entries);
        both.sort_by_key(|(key, _)| *key);
        both.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                kept.1 = kept.1.joined(next.1);
            }
            is_same
        });
        both.retain(|(_, value)| value.until() >= now);
        Self {
            highs: both.iter().map(|(key, _)| halves(*key).0).collect(),
            lows: both.iter().map(|(key, _)| halves(*key).1).collect(),
            values: both.iter().map(|(_, value)| *value).collect(),
        }
    }
}

impl<V: Kept> fmt::Debug for Table<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("entries", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Until(u32);

    impl Kept for Until {
        fn joined(self, other: Self) -> Self {
            Self(self.0.max(other.0))
        }

        fn until(self) -> u32 {
            self.0
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        // Keys that are anything but evenly spread are found as well.
        #[test]
        fn it_is_a_map(batches in prop::collection::vec(prop::collection::vec((0_u128..1 << 20, 0_u8..8, 1_u32..9), 0..40), 1..6)) {
            let (table, mut model) = (Table::new(), BTreeMap::new());
            for batch in batches {
                let entries: Vec<_> =
                    batch.iter().map(|(low, high, until)| (*low | u128::from(*high) << 116, Until(*until))).collect();
                for (key, until) in &entries {
                    let kept: &mut Until = model.entry(*key).or_insert(*until);
                    *kept = kept.joined(*until);
                }
                table.insert(entries, 0);
            }
            prop_assert_eq!(table.len(), model.len());
            for (key, until) in &model {
                prop_assert_eq!(table.get(*key), Some(*until));
                for near in [key.wrapping_sub(1), key.wrapping_add(1)] {
                    prop_assert_eq!(table.get(near), model.get(&near).copied());
                }
            }
            for _ in 0..(1 << PART_BITS) / SWEPT {
                table.sweep(5);
            }
            model.retain(|_, until| until.0 >= 5);
            prop_assert_eq!(table.len(), model.len());
            prop_assert!(model.iter().all(|(key, until)| table.get(*key) == Some(*until)));
        }
    }

    #[test]
    fn readers_find_what_is_there_while_writers_write() {
        let table = Table::new();
        let key = |n: u64| u128::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        table.insert((0..100).map(|n| (key(n), Until(9))).collect(), 0);
        std::thread::scope(|scope| {
            let table = &table;
            scope.spawn(move || {
                for batch in 1..200_u64 {
                    table.insert((0..50).map(|n| (key(batch * 100 + n), Until(1))).collect(), 0);
                    table.sweep(5);
                }
            });
            scope.spawn(move || {
                for n in (0..100).cycle().take(50_000) {
                    assert_eq!(table.get(key(n)), Some(Until(9)));
                }
            });
        });
    }
}
