//! The suite passes on memory, and catches each store that is broken on purpose.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bartizan_core::{Clock, UnixTime};
use bartizan_testkit::{ManualClock, SeededEntropy};

use super::*;
use crate::{Charge, MemoryLimits, gcra, give_back};

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(UnixTime::from_nanos(0)))
}

fn stores(store: Arc<dyn LimitStore>, other: Arc<dyn LimitStore>, clock: Arc<ManualClock>) -> Stores {
    Stores::new(store, other, move |by| clock.advance(by), ())
}

fn memory() -> Stores {
    let clock = clock();
    let limits = MemoryLimits::new(100_000, Arc::clone(&clock) as Arc<dyn Clock>, &SeededEntropy::new(1));
    let limits = Arc::new(limits.unwrap());
    stores(Arc::clone(&limits) as Arc<dyn LimitStore>, limits, clock)
}

mod memory_limits {
    crate::limit_store_conformance!(super::memory);
}

type Case = (&'static str, fn(&Stores) -> Outcome);

const CASES: &[Case] = crate::__limit_store_cases!(__limit_store_table, ());

/// One way to break a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    ReadsThenWrites,
    ForgetsKeysInUse,
    CountsMilliseconds,
    FixedWindow,
    ChargesRefusals,
    ChargesLooks,
    IgnoresThePolicy,
    RunsTextsTogether,
    FoldsCase,
    LetsOneMorePass,
    StopsAtARefusal,
    AnswersBackwards,
    GivesBackAll,
    GivesBackNothing,
    GivesBackTheWholeQuota,
    KeepsToItself,
}

const FLAWS: &[Flaw] = &[
    Flaw::ReadsThenWrites,
    Flaw::ForgetsKeysInUse,
    Flaw::CountsMilliseconds,
    Flaw::FixedWindow,
    Flaw::ChargesRefusals,
    Flaw::ChargesLooks,
    Flaw::IgnoresThePolicy,
    Flaw::RunsTextsTogether,
    Flaw::FoldsCase,
    Flaw::LetsOneMorePass,
    Flaw::StopsAtARefusal,
    Flaw::AnswersBackwards,
    Flaw::GivesBackAll,
    Flaw::GivesBackNothing,
    Flaw::GivesBackTheWholeQuota,
    Flaw::KeepsToItself,
];

/// A small store of its own, right but for its flaw.
#[derive(Debug)]
struct Broken {
    flaw: Flaw,
    clock: Arc<ManualClock>,
    states: Mutex<HashMap<Vec<u8>, u64>>,
}

impl Broken {
    fn now(&self) -> u64 {
        let micros = u64::try_from(self.clock.wall().since(UnixTime::from_nanos(0)).as_micros()).unwrap();
        if self.flaw == Flaw::CountsMilliseconds { micros / 1_000 * 1_000 } else { micros }
    }

    fn key(&self, ask: &Ask<'_>) -> Vec<u8> {
        let mut key = Vec::new();
        if self.flaw != Flaw::IgnoresThePolicy {
            key.extend_from_slice(ask.policy().name().as_bytes());
            key.push(0);
        }
        ask.key().write_to(&mut |piece| {
            // Lengths are eight bytes with a zero at the end.
            if self.flaw != Flaw::RunsTextsTogether || piece.len() != 8 || piece[7] != 0 {
                key.extend_from_slice(piece);
            }
        });
        if self.flaw == Flaw::FoldsCase {
            key.make_ascii_lowercase();
        }
        key
    }

    fn one(&self, ask: &Ask<'_>) -> Charge {
        let (key, now, quota) = (self.key(ask), self.now(), ask.policy().quota());
        let mut states = self.states.lock().unwrap();
        if self.flaw == Flaw::ForgetsKeysInUse && states.len() > 1_000 {
            states.clear();
        }
        let mut state = states.get(&key).copied().unwrap_or(0);
        if self.flaw == Flaw::ReadsThenWrites {
            drop(states);
            std::thread::yield_now();
            states = self.states.lock().unwrap();
        }
        if self.flaw == Flaw::FixedWindow
            && now / quota.depth() != state.saturating_sub(quota.depth()) / quota.depth()
        {
            state = 0;
        }
        if self.flaw == Flaw::LetsOneMorePass {
            state = state.saturating_sub(quota.interval_micros());
        }
        let mut step = gcra(state, now, quota, ask.cost());
        if self.flaw == Flaw::ChargesRefusals && !step.decision.is_allowed() {
            step.state += quota.interval_micros();
        }
        if self.flaw == Flaw::ChargesLooks && ask.cost() == 0 {
            step = gcra(state, now, quota, 1);
        }
        states.insert(key, step.state);
        Charge::new(step.decision, now)
    }
}

#[async_trait]
impl LimitStore for Broken {
    async fn charge(&self, asks: &[Ask<'_>]) -> Result<Vec<Charge>, Error> {
        let mut charges: Vec<Charge> = Vec::new();
        for ask in asks {
            charges.push(self.one(ask));
            if self.flaw == Flaw::StopsAtARefusal && !charges[charges.len() - 1].decision().is_allowed() {
                break;
            }
        }
        if self.flaw == Flaw::AnswersBackwards {
            charges.reverse();
        }
        Ok(charges)
    }

    async fn give_back(&self, charges: &[(Ask<'_>, Charge)]) -> Result<(), Error> {
        let now = self.now();
        for (ask, charge) in charges {
            let (quota, charged) = (ask.policy().quota(), charge.at_micros().unwrap());
            let mut states = self.states.lock().unwrap();
            let state = states.entry(self.key(ask)).or_insert(0);
            *state = match self.flaw {
                Flaw::GivesBackNothing => *state,
                Flaw::GivesBackTheWholeQuota => 0,
                Flaw::GivesBackAll => give_back(*state, now, quota, ask.cost(), now),
                _ => give_back(*state, now, quota, ask.cost(), charged),
            };
        }
        Ok(())
    }
}

fn broken(flaw: Flaw) -> Stores {
    let clock = clock();
    let store = || {
        Arc::new(Broken { flaw, clock: Arc::clone(&clock), states: Mutex::default() }) as Arc<dyn LimitStore>
    };
    let one = store();
    let two = if flaw == Flaw::KeepsToItself { store() } else { Arc::clone(&one) };
    stores(one, two, clock)
}

fn caught(flaw: Flaw) -> BTreeSet<&'static str> {
    CASES.iter().filter(|(_, case)| case(&broken(flaw)).is_err()).map(|(name, _)| *name).collect()
}

#[test]
fn the_store_that_the_flaws_are_put_into_is_right() {
    assert_eq!(caught(Flaw::None), BTreeSet::new());
}

#[test]
fn every_flaw_is_caught() {
    for flaw in FLAWS {
        assert!(!caught(*flaw).is_empty(), "{flaw:?} is not caught");
    }
}

#[test]
fn every_case_catches_a_flaw() {
    let all: BTreeSet<_> = FLAWS.iter().flat_map(|flaw| caught(*flaw)).collect();
    assert_eq!(all, CASES.iter().map(|(name, _)| *name).collect());
}
