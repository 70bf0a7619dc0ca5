//! What holds for every trace.

use std::time::Duration;

use bartizan_rate_limit::{Ask, Key, OnOutage, Policy, Quota, gcra, give_back};
use proptest::prelude::*;

use super::{clock, memory};

fn quota() -> impl Strategy<Value = Quota> {
    (1_u32..20, 1_000_u64..100_000_000_000, 1_u32..40).prop_filter_map("a quota", |(limit, window, burst)| {
        Quota::per(limit, Duration::from_micros(window)).ok()?.with_burst(burst).ok()
    })
}

/// Pauses in hundredths of an interval, costs, and whether it is given back.
fn steps() -> impl Strategy<Value = Vec<(u64, u32, bool)>> {
    prop::collection::vec((0_u64..250, 0_u32..4, any::<bool>()), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// A thousand traces here; a hundred thousand against Redis, beside its driver.
    #[test]
    fn limiter_correctness_memory_decides_as_gcra(quota in quota(), steps in steps()) {
        let clock = clock();
        let limits = memory(1_000, &clock);
        let policy = Policy::new("trace", quota, OnOutage::Closed).unwrap();
        let (mut state, mut now) = (0, 0);
        for (pause, cost, back) in steps {
            let pause = pause * quota.interval_micros() / 100;
            clock.advance(Duration::from_micros(pause));
            now += pause;
            let ask = Ask::new(&policy, Key::account("ada")).costing(cost.min(quota.burst())).unwrap();
            let charge = limits.check(&ask);
            let step = gcra(state, now, quota, ask.cost());
            prop_assert_eq!(charge.decision(), step.decision);
            state = step.state;
            if back && step.decision.is_allowed() {
                limits.give_back(&ask, &charge);
                state = give_back(state, now, quota, ask.cost(), now);
            }
        }
    }

    /// In no stretch as long as the window pass more than the burst and the limit together.
    #[test]
    fn no_window_admits_more_than_burst_and_limit(quota in quota(), steps in steps()) {
        let (mut state, mut now) = (0, 0);
        let mut passed: Vec<(u64, u64)> = Vec::new();
        for (pause, cost, _) in steps {
            now += pause * quota.interval_micros() / 100;
            let cost = cost.min(quota.burst());
            let step = gcra(state, now, quota, cost);
            state = step.state;
            if step.decision.is_allowed() {
                passed.push((now, u64::from(cost)));
            }
            let window = u64::try_from(quota.window().as_micros()).unwrap();
            let within: u64 = passed.iter().filter(|(at, _)| at + window > now).map(|(_, cost)| cost).sum();
            prop_assert!(within <= u64::from(quota.burst()) + u64::from(quota.limit()));
        }
    }

    /// Charging and giving back, at whatever moment and with whatever between, never leaves a key emptier than not charging.
    #[test]
    fn giving_back_is_never_better_than_not_having_charged(
        quota in quota(),
        before in steps(),
        between in steps(),
        cost in 1_u32..5,
    ) {
        let cost = cost.min(quota.burst());
        let (mut with, mut now) = (0, 0);
        for (pause, cost, _) in before {
            now += pause * quota.interval_micros() / 100;
            with = gcra(with, now, quota, cost.min(quota.burst())).state;
        }
        let mut without = with;
        let charged = now;
        let step = gcra(with, now, quota, cost);
        prop_assume!(step.decision.is_allowed());
        with = step.state;
        for (pause, cost, _) in between {
            now += pause * quota.interval_micros() / 100;
            let cost = cost.min(quota.burst());
            let step = gcra(with, now, quota, cost);
            with = step.state;
            // What passed with the charge passes without it too, and is charged there alike.
            if step.decision.is_allowed() {
                let alike = gcra(without, now, quota, cost);
                prop_assert!(alike.decision.is_allowed());
                without = alike.state;
            }
        }
        let returned = give_back(with, now, quota, cost, charged);
        prop_assert!(returned.max(now) >= without.max(now));
        prop_assert!(returned <= with);
    }

    /// No numbers make it panic or overflow, whatever a clock or a store says.
    #[test]
    fn any_numbers_have_an_answer(state: u64, now: u64, cost: u32, charged: u64, quota in quota()) {
        let step = gcra(state, now, quota, cost);
        prop_assert!(step.state >= now || now > u64::MAX - quota.depth());
        let _ = give_back(state, now, quota, cost, charged);
    }
}
