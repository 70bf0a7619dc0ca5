//! A set-associative table: a hash has one set of eight places, of which the least used makes room.
//!
//! Every place is swapped as a whole, so that readers neither lock nor wait, and writers wait for nobody. Two writers may put the
//! same token into two places; that costs one of them.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use bartizan_core::UnixTime;

use crate::{facts::Facts, token_cache::CacheStats};

/// What a token is known by.
pub(super) type Hash = [u8; 32];

/// Places of one set.
const WAYS: usize = 8;

pub(super) struct Table {
    /// INVARIANT(sets): as many as `mask` + 1, a power of two.
    sets: Box<[Set]>,
    mask: usize,
    most_bytes: usize,
    bytes: AtomicUsize,
    /// The set that makes room next when all together hold too much.
    hand: AtomicUsize,
    counters: Box<[Counters; STRIPES]>,
}

#[derive(Default)]
struct Set {
    /// Some bits of each hash, so that mostly no place but the right one is opened.
    tags: [AtomicU32; WAYS],
    places: [ArcSwapOption<Entry>; WAYS],
}

/// A token that was found good.
pub(super) struct Entry {
    hash: Hash,
    pub(super) verifier: u64,
    pub(super) facts: Arc<Facts>,
    pub(super) since: UnixTime,
    pub(super) until: UnixTime,
    bytes: usize,
    /// Found since somebody last looked for room.
    is_used: AtomicBool,
}

/// Counters of some sets, on cache lines of their own, so that readers do not take them from each other.
#[derive(Default)]
#[repr(align(128))]
struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: AtomicU64,
    entries: AtomicUsize,
}

const STRIPES: usize = 16;

impl Entry {
    pub(super) fn new(
        hash: Hash,
        verifier: u64,
        facts: Arc<Facts>,
        since: UnixTime,
        until: UnixTime,
    ) -> Self {
        let bytes = mem::size_of::<Self>() + facts.weight();
        Self { hash, verifier, facts, since, until, bytes, is_used: AtomicBool::new(false) }
    }
}

impl Table {
    /// At most so many entries, from eight, and bytes.
    pub(super) fn new(most_entries: usize, most_bytes: usize) -> Self {
        let whole = most_entries.max(WAYS) / WAYS;
        let sets = 1 << whole.ilog2();
        Self {
            sets: (0..sets).map(|_| Set::default()).collect(),
            mask: sets - 1,
            most_bytes,
            bytes: AtomicUsize::new(0),
            hand: AtomicUsize::new(0),
            counters: Box::default(),
        }
    }

    /// What `take` makes of the entry of this hash, if there is one.
    pub(super) fn find<T>(&self, hash: &Hash, take: impl Fn(&Entry) -> Option<T>) -> Option<T> {
        let (set, tag) = (self.set(hash)?, tag(hash));
        let alike =
            set.tags.iter().zip(&set.places).filter(|(other, _)| other.load(Ordering::Relaxed) == tag);
        for (_, place) in alike {
            // SECURITY: all 256 bits. What finds the place is no identity (GHSA-rp9m-7r4c-75qg).
            if let Some(entry) = &*place.load()
                && entry.hash == *hash
            {
                if !entry.is_used.load(Ordering::Relaxed) {
                    entry.is_used.store(true, Ordering::Relaxed);
                }
                return take(entry);
            }
        }
        None
    }

    /// Puts an entry in place of the same token, or of none, or of one that is over, or of one that was not found lately.
    pub(super) fn insert(&self, entry: Entry, now: UnixTime) {
        let Some(set) = self.set(&entry.hash) else { return };
        if entry.bytes > self.most_bytes {
            return;
        }
        let (hash, tag, bytes) = (entry.hash, tag(&entry.hash), entry.bytes);
        let Some((tags, place)) = set.tags.iter().zip(&set.places).min_by_key(|(_, place)| {
            place.load().as_ref().map_or(1, |held| match held {
                held if held.hash == hash => 0,
                held if held.until <= now => 2,
                held if !held.is_used.swap(false, Ordering::Relaxed) => 3,
                _ => 4,
            })
        }) else {
            return;
        };
        tags.store(tag, Ordering::Relaxed);
        let before = place.swap(Some(Arc::new(entry)));
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if let Some(counters) = self.counters(&hash) {
            counters.entries.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(before) = before {
            self.gone(&before, before.hash != hash && now < before.until);
        }
        self.make_room();
    }

    pub(super) fn remove(&self, hash: &Hash) {
        let Some(set) = self.set(hash) else { return };
        for place in &set.places {
            let held = place.load_full();
            if held.as_ref().is_some_and(|held| held.hash == *hash) {
                // What another writer has put there meanwhile stays.
                let before = place.compare_and_swap(&held, None);
                if let (Some(before), Some(held)) = (&*before, &held)
                    && Arc::ptr_eq(before, held)
                {
                    self.gone(held, false);
                }
            }
        }
    }

    pub(super) fn clear(&self) {
        for place in self.sets.iter().flat_map(|set| &set.places) {
            if let Some(before) = place.swap(None) {
                self.gone(&before, false);
            }
        }
    }

    pub(super) fn hit(&self, hash: &Hash) {
        self.counters(hash).into_iter().for_each(|counters| {
            counters.hits.fetch_add(1, Ordering::Relaxed);
        });
    }

    pub(super) fn miss(&self, hash: &Hash) {
        self.counters(hash).into_iter().for_each(|counters| {
            counters.misses.fetch_add(1, Ordering::Relaxed);
        });
    }

    pub(super) fn stats(&self) -> CacheStats {
        let sum = |count: fn(&Counters) -> u64| self.counters.iter().map(count).fold(0, u64::wrapping_add);
        let entries = self.counters.iter().map(|counters| counters.entries.load(Ordering::Relaxed));
        CacheStats {
            hits: sum(|counters| counters.hits.load(Ordering::Relaxed)),
            misses: sum(|counters| counters.misses.load(Ordering::Relaxed)),
            evictions: sum(|counters| counters.evictions.load(Ordering::Relaxed)),
            entries: entries.fold(0, usize::wrapping_add),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    /// While all together are too large: what was not found lately goes, set by set in turn. After two rounds whatever is met.
    fn make_room(&self) {
        for round in 0..2 * self.sets.len() + 1 {
            if self.bytes.load(Ordering::Relaxed) <= self.most_bytes {
                return;
            }
            let at = self.hand.fetch_add(1, Ordering::Relaxed) & self.mask;
            for place in self.sets.get(at).into_iter().flat_map(|set| &set.places) {
                let is_used =
                    place.load().as_ref().is_none_or(|held| held.is_used.swap(false, Ordering::Relaxed));
                if (!is_used || round >= self.sets.len())
                    && self.bytes.load(Ordering::Relaxed) > self.most_bytes
                    && let Some(before) = place.swap(None)
                {
                    self.gone(&before, true);
                }
            }
        }
    }

    fn gone(&self, entry: &Entry, is_evicted: bool) {
        self.bytes.fetch_sub(entry.bytes, Ordering::Relaxed);
        if let Some(counters) = self.counters(&entry.hash) {
            counters.entries.fetch_sub(1, Ordering::Relaxed);
            counters.evictions.fetch_add(u64::from(is_evicted), Ordering::Relaxed);
        }
    }

    fn set(&self, hash: &Hash) -> Option<&Set> {
        self.sets.get(word(hash, 0) & self.mask)
    }

    fn counters(&self, hash: &Hash) -> Option<&Counters> {
        self.counters.get(word(hash, 0) % STRIPES)
    }
}

/// Four bytes of the hash as a number.
fn word(hash: &Hash, at: usize) -> usize {
    let bytes = hash.iter().skip(at).take(4);
    bytes.fold(0, |number, byte| number << 8 | usize::from(*byte))
}

fn tag(hash: &Hash) -> u32 {
    u32::try_from(word(hash, 4)).unwrap_or_default()
}
