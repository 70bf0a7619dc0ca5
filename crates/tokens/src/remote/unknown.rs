//! The ids of keys that tokens named and no set had.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};

/// Remembers up to 1,024 ids as hashes, 8 KiB in all, without a lock. When two fall on one place, the later one stays; an id
/// that is asked about twice costs nothing worse than a request within its spacing.
#[derive(Debug)]
pub(super) struct UnknownKids {
    places: Box<[AtomicU64]>,
    seed: u64,
}

const PLACES: usize = 1_024;

impl UnknownKids {
    /// The seed keeps others from knowing which ids fall together.
    pub(super) fn new(seed: u64) -> Self {
        Self { places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(), seed }
    }

    /// Remembers an id. Says whether it was new.
    pub(super) fn remember(&self, kid: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        (self.seed, kid).hash(&mut hasher);
        // 0 is an empty place.
        let hash = hasher.finish().max(1);
        let place = usize::try_from(hash % 1_024).unwrap_or_default();
        self.places.get(place).is_some_and(|place| place.swap(hash, Ordering::Relaxed) != hash)
    }

    /// Forgets all of them.
    pub(super) fn forget(&self) {
        self.places.iter().for_each(|place| place.store(0, Ordering::Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once_until_all_are_forgotten() {
        let unknown = UnknownKids::new(7);
        assert!(unknown.remember("a"));
        assert!(!unknown.remember("a"));
        unknown.forget();
        assert!(unknown.remember("a"));
    }

    #[test]
    fn a_hundred_thousand_ids_take_the_room_of_a_thousand() {
        let unknown = UnknownKids::new(7);
        for id in 0..100_000 {
            unknown.remember(&id.to_string());
        }
        assert_eq!(unknown.places.len(), PLACES);
        let kept = (0..100_000).filter(|id| !unknown.remember(&id.to_string())).count();
        assert!(kept <= PLACES, "{kept}");
    }

    #[test]
    fn another_seed_puts_ids_elsewhere() {
        let place = |seed, kid: &str| {
            let unknown = UnknownKids::new(seed);
            unknown.remember(kid);
            unknown.places.iter().position(|place| place.load(Ordering::Relaxed) != 0).unwrap()
        };
        assert!((0..64_u64).any(|seed| place(seed, "a") != place(64, "a")));
    }
}
