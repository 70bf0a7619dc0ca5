//! Counts what comes in floods, so that the record tells of it without being flooded.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bartizan_core::{Detail, DetailValue, Monotonic};

/// Says of each source once a minute that something happened, and how often since the last time. Takes a fixed amount of memory:
/// while two sources share a place, the later one is counted and told together with whichever is told next.
#[derive(Debug)]
pub(crate) struct Tally {
    places: Box<[Mutex<Option<Place>>]>,
    others: AtomicU64,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    source: u64,
    told: Monotonic,
    since: u64,
}

/// What is to be told now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Told {
    /// How often it happened since this source was last told of, with this time.
    pub(crate) times: u64,
    /// How often it happened to sources that had no place, since anything was last told.
    pub(crate) elsewhere: u64,
}

impl Told {
    /// The same, for the record.
    pub(crate) fn details(&self) -> [Detail<'static>; 2] {
        let number = |number: u64| DetailValue::Number(i64::try_from(number).unwrap_or(i64::MAX));
        [
            Detail { name: "times", value: number(self.times) },
            Detail { name: "elsewhere", value: number(self.elsewhere) },
        ]
    }
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self { places: (0..PLACES).map(|_| Mutex::new(None)).collect(), others: AtomicU64::new(0) }
    }

    /// It happened once more. Nothing when it was told of a moment ago.
    pub(crate) fn count(&self, source: impl Hash, now: Monotonic) -> Option<Told> {
        let source = hashed(source);
        // INVARIANT(tally-places): there are PLACES of them; without one it is told at once.
        let Some(mut place) = self.place(source) else { return Some(Told { times: 1, elsewhere: 0 }) };
        match &mut *place {
            Some(held) if now.since(held.told) < EVERY && held.source == source => {
                held.since += 1;
                None
            }
            Some(held) if now.since(held.told) < EVERY => {
                self.others.fetch_add(1, Ordering::Relaxed);
                None
            }
            held => {
                let (before, after) = match *held {
                    Some(held) if held.source == source => (held.since, 0),
                    Some(held) => (0, held.since),
                    None => (0, 0),
                };
                *held = Some(Place { source, told: now, since: 0 });
                let elsewhere = self.others.swap(0, Ordering::Relaxed) + after;
                Some(Told { times: before + 1, elsewhere })
            }
        }
    }

    /// What was to be told could not be: it is told at the next occasion, which is not a minute away.
    pub(crate) fn not_told(&self, source: impl Hash, told: Told) {
        let source = hashed(source);
        let since = self
            .place(source)
            .and_then(|mut place| place.take_if(|held| held.source == source))
            .map_or(0, |held| held.since);
        self.others.fetch_add(told.times + told.elsewhere + since, Ordering::Relaxed);
    }

    fn place(&self, source: u64) -> Option<MutexGuard<'_, Option<Place>>> {
        let at = usize::try_from(source % PLACES as u64).ok()?;
        Some(self.places.get(at)?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn hashed(source: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    source.hash(&mut hasher);
    hasher.finish()
}

/// A process under attack from more sources than this tells of some of them only.
const PLACES: usize = 1024;

/// How often one source is told of.
const EVERY: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_zero(Duration::from_secs(seconds))
    }

    #[test]
    fn a_source_is_told_of_at_once_and_then_once_a_minute_with_its_number() {
        let tally = Tally::new();
        assert_eq!(tally.count("a", at(0)), Some(Told { times: 1, elsewhere: 0 }));
        for second in 1..60 {
            assert_eq!(tally.count("a", at(second)), None);
        }
        assert_eq!(tally.count("a", at(60)), Some(Told { times: 60, elsewhere: 0 }));
        assert_eq!(tally.count("a", at(500)), Some(Told { times: 1, elsewhere: 0 }));
    }

    #[test]
    fn what_could_not_be_told_is_told_next_time() {
        let tally = Tally::new();
        let told = tally.count("a", at(0)).unwrap();
        assert_eq!(tally.count("a", at(1)), None);
        tally.not_told("a", told);
        assert_eq!(tally.count("a", at(2)), Some(Told { times: 1, elsewhere: 2 }));
        assert_eq!(tally.count("a", at(3)), None);
        // Another source that has its place by now keeps it.
        tally.not_told("b", Told { times: 1, elsewhere: 0 });
        assert_eq!(tally.count("a", at(62)), Some(Told { times: 2, elsewhere: 1 }));
    }

    #[test]
    fn nothing_is_lost_from_the_count_however_many_sources_there_are() {
        let tally = Tally::new();
        let mut told = 0;
        let mut sum = |answer: Option<Told>| told += answer.map_or(0, |t| t.times + t.elsewhere);
        for round in 0..4 {
            for source in 0..5_000 {
                sum(tally.count(source, at(round * 30)));
            }
        }
        let open: u64 =
            tally.places.iter().map(|place| place.lock().unwrap().map_or(0, |held| held.since)).sum();
        assert_eq!(told + open + tally.others.load(Ordering::Relaxed), 20_000);
        assert!(tally.places.len() == PLACES);
    }
}
