//! What every [`LimitStore`](crate::LimitStore) does.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use super::{Outcome, Stores, block_on, hold};
use crate::{Ask, Charge, Error, Key, OnOutage, Policy, Quota, gcra, give_back};

fn policy(name: &str, limit: u32, micros: u64) -> Result<Policy, Error> {
    Policy::new(name, Quota::per(limit, Duration::from_micros(micros))?, OnOutage::Closed)
}

fn five() -> Result<Policy, Error> {
    Ok(Policy::own("five", Quota::LOGIN, OnOutage::Closed))
}

const fn ada(policy: &Policy) -> Ask<'_> {
    Ask::new(policy, Key::account("ada"))
}

const fn passes(charge: &Charge) -> bool {
    charge.decision().is_allowed()
}

/// Five pass at once, the sixth does not, and is told when.
///
/// # Errors
/// How the driver breaks this.
pub fn a_quota_passes_and_no_more(stores: &Stores) -> Outcome {
    let five = five()?;
    for left in [4, 3, 2, 1, 0] {
        let decision = stores.ask(ada(&five))?.decision();
        hold(decision.is_allowed(), "one of the first five does not pass")?;
        hold(decision.remaining() == left, "what remains is not counted down")?;
        hold(decision.retry_after().is_none(), "one that passes is told to wait")?;
    }
    let refused = stores.ask(ada(&five))?.decision();
    hold(!refused.is_allowed(), "the sixth passes")?;
    hold(
        refused.retry_after() == Some(Duration::from_secs(180)),
        "the sixth is told another time than an interval",
    )?;
    hold(refused.reset() == Duration::from_secs(900), "a used-up quota is not reset after a window")
}

/// Random policies, costs, pauses and returns: every decision is that of the function, bit for bit.
///
/// # Errors
/// How the driver breaks this.
pub fn decisions_are_those_of_gcra(stores: &Stores) -> Outcome {
    let mut random = Random(0x5EED);
    for trace in 0..60_u32 {
        let name = trace.to_string();
        let window = 1_000 + random.below(10_u64.pow(3 + trace % 8));
        let limit = u32::try_from(1 + random.below(window / 200).min(1_000)).unwrap_or(1);
        let policy = policy("trace", limit, window)?;
        let burst = u32::try_from(1 + random.below(u64::from(limit) * 2)).unwrap_or(1);
        let policy = Policy::new(policy.name(), policy.quota().with_burst(burst)?, OnOutage::Closed)?;
        let (quota, mut state) = (policy.quota(), 0);
        for _ in 0..12 {
            stores.advance(random.below(3 * quota.interval_micros()));
            let cost = u32::try_from(random.below(u64::from(burst.min(4)) + 1)).unwrap_or(0);
            let ask = Ask::new(&policy, Key::account(&name)).costing(cost)?;
            let charge = stores.ask(ask)?;
            let Some(now) = charge.at_micros() else {
                return hold(false, "a charge on a key of its own cannot be given back");
            };
            let step = gcra(state, now, quota, cost);
            hold(step.decision == charge.decision(), "a decision is not that of the function")?;
            state = step.state;
            if passes(&charge) && random.below(4) == 0 {
                let pause = random.below(2 * quota.interval_micros());
                stores.advance(pause);
                stores.give_back(ask, charge)?;
                state = give_back(state, now + pause, quota, cost, now);
            }
        }
    }
    Ok(())
}

/// Neither earlier nor later.
///
/// # Errors
/// How the driver breaks this.
pub fn a_request_passes_at_the_named_microsecond(stores: &Stores) -> Outcome {
    // An interval that is no whole number of milliseconds.
    let policy = policy("seventh", 7, 1_000_003)?;
    let ask = ada(&policy).costing(7)?;
    hold(passes(&stores.ask(ask)?), "a first request of the whole burst does not pass")?;
    let wait = policy.quota().interval_micros();
    stores.advance(wait - 1);
    let early = stores.ask(ada(&policy))?.decision();
    hold(!early.is_allowed(), "a request passes a microsecond early")?;
    hold(
        early.retry_after() == Some(Duration::from_micros(1)),
        "the time to wait is not counted in microseconds",
    )?;
    stores.advance(1);
    hold(passes(&stores.ask(ada(&policy))?), "a request does not pass in time")?;
    hold(!passes(&stores.ask(ada(&policy))?), "a second request passes with it")
}

/// Whoever keeps asking does not wait longer for it.
///
/// # Errors
/// How the driver breaks this.
pub fn a_refusal_changes_nothing(stores: &Stores) -> Outcome {
    let five = five()?;
    stores.spend(ada(&five).costing(5)?)?;
    for _ in 0..20 {
        hold(!passes(&stores.ask(ada(&five))?), "a request passes though the quota is used up")?;
    }
    stores.advance(five.quota().interval_micros());
    hold(passes(&stores.ask(ada(&five))?), "refused requests were charged")
}

/// A cost of zero tells what is left.
///
/// # Errors
/// How the driver breaks this.
pub fn a_look_changes_nothing(stores: &Stores) -> Outcome {
    let five = five()?;
    for _ in 0..10 {
        let look = stores.ask(ada(&five).costing(0)?)?.decision();
        hold(look.is_allowed() && look.remaining() == 5, "a look at a new key is not at all of its quota")?;
    }
    stores.spend(ada(&five).costing(4)?)?;
    for _ in 0..10 {
        hold(stores.ask(ada(&five).costing(0)?)?.decision().remaining() == 1, "a look was charged")?;
    }
    hold(passes(&stores.ask(ada(&five))?), "what was looked at does not pass")
}

/// Of all kinds, and of the same text.
///
/// # Errors
/// How the driver breaks this.
pub fn keys_share_no_state(stores: &Stores) -> Outcome {
    let one = Policy::new("one", Quota::LOGIN.with_burst(1)?, OnOutage::Closed)?;
    let (v4, v6) = ([192, 0, 2, 1].into(), [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into());
    let long = "a".repeat(4_096);
    let keys = [
        Key::global(),
        Key::account("ada"),
        Key::account("Ada"),
        Key::account("ada "),
        Key::account(""),
        Key::account(&long),
        Key::texts(&["ada"]),
        Key::texts(&["a", "da"]),
        Key::texts(&["ad", "a"]),
        Key::texts(&[]),
        Key::address(v4),
        Key::address(v6),
        Key::pair("ada", v4),
        Key::pair("ada", v6),
        Key::pair("bob", v4),
    ];
    for key in keys {
        hold(passes(&stores.ask(Ask::new(&one, key))?), "two keys share their state")?;
        hold(!passes(&stores.ask(Ask::new(&one, key))?), "a key is not counted")?;
    }
    Ok(())
}

/// One key under two policies is two.
///
/// # Errors
/// How the driver breaks this.
pub fn policies_share_no_state(stores: &Stores) -> Outcome {
    for name in ["a", "aa", "a-a"] {
        let policy = policy(name, 1, 1_000_000)?;
        hold(passes(&stores.ask(ada(&policy))?), "two policies share the state of a key")?;
        hold(!passes(&stores.ask(ada(&policy))?), "a key is not counted")?;
    }
    Ok(())
}

/// What one process charges, another sees.
///
/// # Errors
/// How the driver breaks this.
pub fn drivers_share_their_state(stores: &Stores) -> Outcome {
    let five = five()?;
    stores.spend(ada(&five).costing(3)?)?;
    hold(stores.ask_two(ada(&five))?.decision().remaining() == 1, "the drivers do not share their state")?;
    hold(stores.ask(ada(&five))?.decision().remaining() == 0, "the drivers do not share their state")
}

/// One that refuses stops no other; one key twice is charged twice.
///
/// # Errors
/// How the driver breaks this.
pub fn asks_are_decided_each_by_itself_in_their_order(stores: &Stores) -> Outcome {
    let (one, two, five) = (policy("one", 1, 1_000_000)?, policy("two", 2, 1_000_000)?, five()?);
    let asks = [ada(&one), ada(&two), ada(&two), ada(&two), ada(&five)];
    let first = stores.charge(&asks)?;
    let told: Vec<_> = first.iter().map(|charge| (passes(charge), charge.decision().remaining())).collect();
    hold(told.len() == asks.len(), "there is not one answer for each ask")?;
    // Of the three that are alike two pass, whichever.
    let pass = told.iter().filter(|(passes, _)| *passes).count();
    hold(pass == 4, "asks are not each decided by itself")?;
    hold(
        told.first() == Some(&(true, 0)) && told.last() == Some(&(true, 4)),
        "answers are not in the order of the asks",
    )?;
    let again = stores.charge(&[ada(&one), ada(&five)])?;
    let told: Vec<_> = again.iter().map(|charge| (passes(charge), charge.decision().remaining())).collect();
    hold(told == [(false, 0), (true, 3)], "one that refuses stops another")?;
    hold(stores.charge(&[])?.is_empty(), "no asks have an answer")
}

/// 64 at once on a quota of 5: five pass. All spend it at the same moment, through both drivers.
///
/// # Errors
/// How the driver breaks this.
pub fn racing_callers_pass_as_often_as_one_after_the_other(stores: &Stores) -> Outcome {
    let five = five()?;
    for round in 0..8_u32 {
        let name = round.to_string();
        let ask = Ask::new(&five, Key::account(&name));
        let passed = race(stores, 64, |charge| charge(ask).map(|_| ()))?;
        hold(passed <= 5, "racing callers pass more often than the quota")?;
        hold(passed == 5, "racing callers pass less often than the quota")?;
    }
    Ok(())
}

/// Each of 64 charges and gives back at once: afterwards the key is as new.
///
/// # Errors
/// How the driver breaks this.
pub fn racing_callers_are_given_back_exactly(stores: &Stores) -> Outcome {
    let many = policy("many", 64, 64_000_000)?;
    let ask = ada(&many);
    let passed = race(stores, 64, |charge| {
        let charged = charge(ask)?;
        stores.give_back(ask, charged)
    })?;
    hold(passed == 64, "a quota of 64 does not let 64 pass")?;
    hold(
        stores.ask(ask.costing(0)?)?.decision().remaining() == 64,
        "what racing callers gave back is lost or doubled",
    )
}

/// At the same moment: as if it never was.
///
/// # Errors
/// How the driver breaks this.
pub fn what_is_given_back_at_once_passes_again(stores: &Stores) -> Outcome {
    let five = five()?;
    stores.spend(ada(&five).costing(2)?)?;
    for _ in 0..10 {
        let ask = ada(&five).costing(3)?;
        let charge = stores.ask(ask)?;
        hold(passes(&charge), "what was given back does not pass again")?;
        stores.give_back(ask, charge)?;
    }
    hold(
        stores.ask(ada(&five).costing(0)?)?.decision().remaining() == 3,
        "giving back gave more than was charged",
    )
}

/// What others were charged meanwhile stays charged.
///
/// # Errors
/// How the driver breaks this.
pub fn what_came_back_by_itself_is_not_given_back(stores: &Stores) -> Outcome {
    let five = five()?;
    let old = stores.ask(ada(&five))?;
    stores.advance(five.quota().interval_micros());
    hold(passes(&stores.ask(ada(&five).costing(5)?)?), "a charge has not come back after its interval")?;
    stores.give_back(ada(&five), old)?;
    hold(!passes(&stores.ask(ada(&five))?), "a charge that had come back was given back again")
}

/// Half of it has come back: half is given.
///
/// # Errors
/// How the driver breaks this.
pub fn giving_back_never_opens_more_than_not_having_charged(stores: &Stores) -> Outcome {
    let (five, bob) = (five()?, Key::account("bob"));
    let half = five.quota().interval_micros() / 2;
    let charge = stores.ask(ada(&five))?;
    stores.advance(half);
    // Bob's was never charged. Both are now charged four.
    stores.spend(ada(&five).costing(4)?)?;
    stores.spend(Ask::new(&five, bob).costing(4)?)?;
    stores.give_back(ada(&five), charge)?;
    let hers = stores.ask(ada(&five).costing(0)?)?.decision().reset();
    let his = stores.ask(Ask::new(&five, bob).costing(0)?)?.decision().reset();
    hold(hers >= his, "giving back opens more than not having charged")?;
    hold(hers == his, "giving back gives less than is left")
}

/// Nobody gets a fresh quota by asking under many names.
///
/// # Errors
/// How the driver breaks this.
pub fn a_key_in_use_outlives_many_others(stores: &Stores) -> Outcome {
    let five = five()?;
    stores.spend(ada(&five).costing(5)?)?;
    for other in 0..2_000_u32 {
        stores.spend(Ask::new(&five, Key::account(&other.to_string())))?;
    }
    hold(!passes(&stores.ask(ada(&five))?), "a key in use is forgotten when others come")
}

/// How many of `callers` threads pass, half of them through each driver. `work` gets what charges and counts.
fn race(
    stores: &Stores,
    callers: usize,
    work: impl Fn(&dyn Fn(Ask<'_>) -> Result<Charge, Error>) -> Result<(), Error> + Sync,
) -> Result<usize, Error> {
    let (passed, ready) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let results: Vec<Result<(), Error>> = thread::scope(|scope| {
        let caller = |at: usize| {
            let (passed, ready, work) = (&passed, &ready, &work);
            scope.spawn(move || {
                let driver = if at.is_multiple_of(2) { &stores.one } else { &stores.two };
                ready.fetch_add(1, Ordering::SeqCst);
                while ready.load(Ordering::SeqCst) < callers {
                    thread::yield_now();
                }
                work(&|ask| {
                    let charge = super::only(block_on(driver.charge(&[ask]))?)?;
                    passed.fetch_add(usize::from(passes(&charge)), Ordering::SeqCst);
                    Ok(charge)
                })
            })
        };
        let callers: Vec<_> = (0..callers).map(caller).collect();
        let ended = |caller: thread::ScopedJoinHandle<'_, Result<(), Error>>| {
            caller.join().unwrap_or_else(|_| Err(crate::ErrorKind::Bug.into()))
        };
        callers.into_iter().map(ended).collect()
    });
    results.into_iter().collect::<Result<(), Error>>()?;
    Ok(passed.into_inner())
}

/// SplitMix64: a sequence that repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end.max(1)
    }
}
