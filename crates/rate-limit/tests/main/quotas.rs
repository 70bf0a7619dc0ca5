//! Quotas as a service sets them.

use std::{sync::Arc, time::Duration};

use bartizan_rate_limit::{Admission, Ask, Key, Limiter, LoginLimits, OnOutage, Policy, Quota};

use super::{clock, limiter, memory, now};

fn passes(limiter: &Limiter, ask: Ask<'_>) -> bool {
    matches!(now(limiter.check(&[ask])).unwrap(), Admission::Admitted(_))
}

#[test]
fn asvs_2_1_3_limits_are_printed_from_what_is_configured() {
    let limits = LoginLimits::new(limiter(&clock()), OnOutage::Closed)
        .with_pair(Quota::per(3, Duration::from_secs(60)).unwrap());
    let printed: Vec<String> = limits.policies().iter().map(ToString::to_string).collect();
    assert_eq!(
        printed,
        [
            "login-pair: 3 in 60 s, 3 at once; closed when the store is out",
            "login-address: 100 in 900 s, 100 at once; closed when the store is out",
            "login-account: 100 in 86400 s, 100 at once; closed when the store is out",
            "login-device: 5 in 900 s, 5 at once; closed when the store is out",
        ]
    );
}

#[test]
fn asvs_2_3_2_a_quota_is_of_one_principal_and_one_action() {
    let limiter = limiter(&clock());
    let exports =
        Policy::new("export", Quota::per(2, Duration::from_secs(3_600)).unwrap(), OnOutage::Closed).unwrap();
    let prints =
        Policy::new("print", Quota::per(2, Duration::from_secs(3_600)).unwrap(), OnOutage::Closed).unwrap();
    let (ada, bob) = (["north", "ada"], ["north", "bob"]);
    for _ in 0..2 {
        assert!(passes(&limiter, Ask::new(&exports, Key::texts(&ada))));
    }
    assert!(!passes(&limiter, Ask::new(&exports, Key::texts(&ada))));
    assert!(passes(&limiter, Ask::new(&exports, Key::texts(&bob))));
    assert!(passes(&limiter, Ask::new(&prints, Key::texts(&ada))));
}

#[test]
fn asvs_2_4_2_a_step_comes_no_sooner_than_the_least_time_after_the_last() {
    let clock = clock();
    let limiter = limiter(&clock);
    let step =
        Policy::new("step", Quota::one_each(Duration::from_secs(3)).unwrap(), OnOutage::Closed).unwrap();
    let ask = Ask::new(&step, Key::account("ada"));
    for _ in 0..3 {
        assert!(passes(&limiter, ask));
        clock.advance(Duration::from_micros(2_999_999));
        assert!(!passes(&limiter, ask));
        clock.advance(Duration::from_micros(1));
    }
}

#[test]
fn a_costly_request_takes_more_of_the_quota() {
    let limits = memory(100, &clock());
    let policy = Policy::general(OnOutage::Closed);
    let ask = Ask::new(&policy, Key::global());
    assert_eq!(limits.check(&ask.costing(60).unwrap()).decision().remaining(), 40);
    assert!(!limits.check(&ask.costing(41).unwrap()).decision().is_allowed());
    assert!(limits.check(&ask.costing(40).unwrap()).decision().is_allowed());
    assert!(ask.costing(101).is_err());
}

#[test]
fn everything_can_be_shown_and_shows_nobody() {
    let limiter = Arc::new(Limiter::in_memory(memory(100, &clock())));
    let policy = Policy::general(OnOutage::Closed);
    let admission = now(limiter.check(&[Ask::new(&policy, Key::account("canary"))])).unwrap();
    let shown = format!(
        "{admission:?} {limiter:?} {:?}",
        Ask::new(&policy, Key::pair("canary", super::ip("192.0.2.99")))
    );
    assert!(!shown.contains("canary") && !shown.contains("192.0.2"), "{shown}");
}
