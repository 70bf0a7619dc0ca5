//! The table of one process: bounded, and never a fresh quota.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use bartizan_core::{Clock, Entropy};
use bartizan_rate_limit::{Ask, ErrorKind, Key, MemoryLimits, OnOutage, Policy, Quota};
use bartizan_testkit::{BrokenEntropy, SeededEntropy};

use super::{clock, memory};

fn one() -> Policy {
    Policy::new("one", Quota::one_each(Duration::from_secs(60)).unwrap(), OnOutage::Closed).unwrap()
}

fn passes(limits: &MemoryLimits, policy: &Policy, name: &str) -> bool {
    limits.check(&Ask::new(policy, Key::account(name))).decision().is_allowed()
}

#[test]
fn a_flood_of_other_keys_reopens_no_key_in_use() {
    let (limits, policy) = (memory(640, &clock()), one());
    assert!(passes(&limits, &policy, "attacker"));
    for other in 0..100_000_u32 {
        passes(&limits, &policy, &other.to_string());
        if other % 1_000 == 0 {
            assert!(!passes(&limits, &policy, "attacker"));
        }
    }
    assert!(!passes(&limits, &policy, "attacker"));
}

#[test]
fn memory_is_bounded_and_those_without_a_place_share_one_quota() {
    let (limits, policy) = (memory(640, &clock()), one());
    let passed = (0..100_000_u32).filter(|other| passes(&limits, &policy, &other.to_string())).count();
    // In each of 64 parts ten and four standard deviations, and one more for all that have no place in it.
    assert_eq!(limits.len(), 64 * 23);
    assert_eq!(passed, 64 * 23);
}

#[test]
fn places_come_free_when_keys_are_as_new() {
    let clock = clock();
    let (limits, policy) = (memory(640, &clock), one());
    (0..10_000_u32).for_each(|other| {
        passes(&limits, &policy, &other.to_string());
    });
    clock.advance(Duration::from_secs(60));
    let passed = (20_000..20_400_u32).filter(|other| passes(&limits, &policy, &other.to_string())).count();
    assert_eq!(passed, 400);
    assert!(limits.len() <= 64 * 23);
}

#[test]
fn what_was_charged_together_is_not_given_back_alone() {
    let clock = clock();
    let (limits, policy) = (memory(64, &clock), one());
    (0..10_000_u32).for_each(|other| {
        passes(&limits, &policy, &other.to_string());
    });
    clock.advance(Duration::from_secs(59));
    // Nobody has a place now; all of this is on the shared states.
    let asks: Vec<String> = (0..10_000_u32).map(|other| format!("late-{other}")).collect();
    for name in &asks {
        let ask = Ask::new(&policy, Key::account(name));
        let charge = limits.check(&ask);
        limits.give_back(&ask, &charge);
    }
    assert!(asks.iter().all(|name| !passes(&limits, &policy, name)));
}

#[test]
fn a_look_takes_no_place() {
    let (limits, policy) = (memory(640, &clock()), one());
    for other in 0..1_000_u32 {
        let name = other.to_string();
        let look = limits.check(&Ask::new(&policy, Key::account(&name)).costing(0).unwrap());
        assert_eq!(look.decision().remaining(), 1);
    }
    assert!(limits.is_empty());
}

#[test]
fn two_processes_hash_alike_names_differently() {
    // The same seed for both would be one key; here it is drawn, so the tables fill in different orders.
    let clock = clock() as Arc<dyn Clock>;
    let fill = |seed| {
        let limits = MemoryLimits::new(64, Arc::clone(&clock), &SeededEntropy::new(seed)).unwrap();
        let policy = one();
        (0..2_000_u32).map(|name| passes(&limits, &policy, &name.to_string())).collect::<Vec<_>>()
    };
    assert_eq!(fill(1), fill(1));
    assert_ne!(fill(1), fill(2));
}

#[test]
fn bounds_and_missing_randomness_are_errors() {
    let clock = clock() as Arc<dyn Clock>;
    let seeded = SeededEntropy::new(1);
    let new = |keys, entropy: &dyn Entropy| {
        MemoryLimits::new(keys, Arc::clone(&clock), entropy).map(|_| ()).map_err(|error| error.kind())
    };
    assert_eq!(new((1 << 28) + 1, &seeded), Err(ErrorKind::Configuration));
    assert_eq!(new(10, &BrokenEntropy), Err(ErrorKind::Entropy));
    assert_eq!(new(0, &seeded), Ok(()));
}

#[test]
fn limiter_correctness_64_at_once_admit_exactly_as_many_as_the_quota() {
    let limits = memory(100_000, &clock());
    let policy = Policy::new("five", Quota::LOGIN, OnOutage::Closed).unwrap();
    for round in 0..50_u32 {
        let (passed, ready, name) = (AtomicUsize::new(0), AtomicUsize::new(0), round.to_string());
        thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| {
                    ready.fetch_add(1, Ordering::SeqCst);
                    while ready.load(Ordering::SeqCst) < 64 {
                        thread::yield_now();
                    }
                    passed.fetch_add(usize::from(passes(&limits, &policy, &name)), Ordering::SeqCst);
                });
            }
        });
        assert_eq!(passed.into_inner(), 5);
    }
}
