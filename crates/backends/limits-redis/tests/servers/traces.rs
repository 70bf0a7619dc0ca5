//! 10⁵ random traces: memory, Redis and the pure function decide alike, bit for bit.

use std::{sync::Arc, time::Duration};

use bartizan_core::{Clock, Entropy as _, UnixTime};
use bartizan_rate_limit::{
    Ask, Charge, Key, LimitStore, MemoryLimits, OnOutage, Policy, Quota, gcra, give_back,
};
use bartizan_testkit::SeededEntropy;

use super::{clock, config, connection, limits, runtime};

/// Traces that run side by side, each on a key of its own, with one clock.
const BATCH: usize = 50;
const BATCHES: usize = 2_000;
const STEPS: usize = 4;

#[test]
fn limiter_correctness_memory_and_redis_decide_as_gcra_on_100_000_random_traces() {
    let random = Random(SeededEntropy::new(4));
    let clock = clock();
    let config = config().with_client_clock(Arc::clone(&clock) as Arc<dyn Clock>);
    let redis = limits(connection(), config);
    let memory =
        MemoryLimits::new(1 << 20, Arc::clone(&clock) as Arc<dyn Clock>, &SeededEntropy::new(9)).unwrap();
    let (mut allowed, mut refused) = (0, 0);
    for batch in 0..BATCHES {
        // From milliseconds to months.
        let scale = 10_u64.pow(3 + u32::try_from(batch % 8).unwrap());
        let mut traces: Vec<Trace> =
            (0..BATCH).map(|at| Trace::new(&random, batch * BATCH + at, scale)).collect();
        for _ in 0..STEPS {
            clock.advance(Duration::from_micros(random.below(scale / 20)));
            let now = u64::try_from(clock.wall().since(UnixTime::from_nanos(0)).as_micros()).unwrap();
            let costs: Vec<u32> = traces.iter().map(|trace| trace.cost(&random)).collect();
            let asks: Vec<Ask<'_>> =
                traces.iter().zip(&costs).map(|(trace, cost)| trace.ask(*cost)).collect();
            let theirs = runtime().block_on(redis.charge(&asks)).unwrap();
            let ours: Vec<Charge> = asks.iter().map(|ask| memory.check(ask)).collect();
            let mut states: Vec<u64> = traces.iter().map(|trace| trace.state).collect();
            let mut back = Vec::new();
            for (at, ask) in asks.iter().enumerate() {
                let step = gcra(states[at], now, ask.policy().quota(), ask.cost());
                assert_eq!(theirs[at].decision(), step.decision, "Redis, trace {at} of batch {batch}");
                assert_eq!(ours[at].decision(), step.decision, "memory, trace {at} of batch {batch}");
                states[at] = step.state;
                if step.decision.is_allowed() {
                    allowed += 1
                } else {
                    refused += 1
                }
                if step.decision.is_allowed() && random.below(5) == 0 {
                    back.push(at);
                }
            }
            let pause = random.below(scale / 50);
            clock.advance(Duration::from_micros(pause));
            let returned: Vec<_> = back.iter().map(|at| (asks[*at], theirs[*at])).collect();
            runtime().block_on(redis.give_back(&returned)).unwrap();
            for at in back {
                memory.give_back(&asks[at], &ours[at]);
                let quota = asks[at].policy().quota();
                states[at] = give_back(states[at], now + pause, quota, asks[at].cost(), now);
            }
            drop(asks);
            traces.iter_mut().zip(states).for_each(|(trace, state)| trace.state = state);
        }
    }
    // It would prove little if nearly all were one or the other.
    assert!(allowed > 100_000 && refused > 50_000, "{allowed} allowed, {refused} refused");
}

struct Trace {
    policy: Policy,
    name: String,
    state: u64,
}

impl Trace {
    fn new(random: &Random, number: usize, scale: u64) -> Self {
        let window = scale + random.below(scale);
        let limit = u32::try_from(1 + random.below((window / 200).min(50))).unwrap();
        let burst = u32::try_from(1 + random.below(u64::from(limit.min(6)))).unwrap();
        let quota = Quota::per(limit, Duration::from_micros(window)).unwrap().with_burst(burst).unwrap();
        let policy = Policy::new("trace", quota, OnOutage::Closed).unwrap();
        Self { policy, name: number.to_string(), state: 0 }
    }

    fn cost(&self, random: &Random) -> u32 {
        u32::try_from(random.below(u64::from(self.policy.quota().burst()) + 1)).unwrap()
    }

    fn ask(&self, cost: u32) -> Ask<'_> {
        Ask::new(&self.policy, Key::account(&self.name)).costing(cost).unwrap()
    }
}

struct Random(SeededEntropy);

impl Random {
    fn below(&self, end: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes).unwrap();
        u64::from_le_bytes(bytes) % end.max(1)
    }
}
