use proptest::prelude::*;

use super::*;

const START: UnixTime = UnixTime::from_secs(1_700_000_000);

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn at(mono: u64) -> Moment {
    Moment { mono: secs(mono), wall: START.saturating_add(secs(mono)) }
}

fn schedule() -> Schedule {
    Schedule::new(Rules::DEFAULT, 7)
}

/// Asked and answered at `now`, with an hour's freshness.
fn loaded(now: u64) -> Schedule {
    let mut schedule = schedule();
    schedule.began(at(now));
    schedule.succeeded(at(now), Freshness::lasting(secs(3_600)));
    schedule
}

#[test]
fn the_first_request_is_at_once() {
    assert_eq!(schedule().next(at(0)), Next::Fetch);
}

#[test]
fn the_refresh_is_ahead_of_the_end_and_not_long_before() {
    let schedule = loaded(0);
    assert!(matches!(schedule.next(at(2_699)), Next::Wait(_)));
    assert_eq!(schedule.next(at(3_240)), Next::Fetch);
}

#[test]
fn a_time_to_live_is_clamped_to_a_minute_and_an_hour() {
    for (said, least, most) in [
        (Freshness::lasting(Duration::ZERO), 45, 54),
        (Freshness::lasting(secs(1)), 45, 54),
        (Freshness::lasting(Duration::MAX), 2_700, 3_240),
        (Freshness::UNSAID, 450, 540),
    ] {
        let mut schedule = schedule();
        schedule.began(at(0));
        schedule.succeeded(at(0), said);
        assert!(matches!(schedule.next(at(least - 1)), Next::Wait(_)), "{said:?}");
        assert_eq!(schedule.next(at(most)), Next::Fetch, "{said:?}");
    }
}

#[test]
fn two_seeds_refresh_at_different_times_and_one_seed_always_at_the_same() {
    let refresh_at = |seed| {
        let mut schedule = Schedule::new(Rules::DEFAULT, seed);
        schedule.began(at(0));
        schedule.succeeded(at(0), Freshness::lasting(secs(3_600)));
        schedule.good.unwrap().refresh_at
    };
    assert_eq!(refresh_at(1), refresh_at(1));
    assert_ne!(refresh_at(1), refresh_at(2));
}

#[test]
fn an_unknown_key_is_asked_for_after_the_cooldown_and_once() {
    let mut schedule = loaded(0);
    schedule.want();
    assert_eq!(schedule.next(at(29)), Next::Wait(secs(1)));
    assert_eq!(schedule.next(at(30)), Next::Fetch);
    schedule.began(at(30));
    schedule.succeeded(at(30), Freshness::lasting(secs(3_600)));
    assert!(matches!(schedule.next(at(120)), Next::Wait(_)));
}

#[test]
fn the_cooldown_begins_when_a_request_ends() {
    let mut schedule = schedule();
    schedule.began(at(0));
    schedule.succeeded(at(9), Freshness::lasting(secs(3_600)));
    schedule.want();
    assert_eq!(schedule.next(at(38)), Next::Wait(secs(1)));
    assert_eq!(schedule.next(at(39)), Next::Fetch);
}

#[test]
fn an_unknown_key_is_asked_for_at_once_when_the_cooldown_is_over() {
    let mut schedule = loaded(0);
    assert!(matches!(schedule.next(at(100)), Next::Wait(_)));
    schedule.want();
    assert_eq!(schedule.next(at(100)), Next::Fetch);
}

#[test]
fn whoever_asked_for_a_key_is_not_forgotten_by_a_failure() {
    let mut schedule = loaded(0);
    schedule.want();
    schedule.began(at(30));
    schedule.failed(at(30), None);
    assert!(schedule.is_wanted());
    assert!(matches!(schedule.next(at(59)), Next::Wait(_)));
    assert_eq!(schedule.next(at(64)), Next::Fetch);
}

#[test]
fn without_keys_the_wait_doubles_from_a_second_to_half_a_minute() {
    let mut schedule = schedule();
    let mut now = Duration::ZERO;
    for expected in [1, 2, 4, 8, 16, 30, 30] {
        let moment = Moment { mono: now, wall: START };
        schedule.began(moment);
        schedule.failed(moment, None);
        let Next::Wait(wait) = schedule.next(moment) else { panic!("at once again") };
        assert!(wait >= secs(expected) && wait <= secs(expected).mul_f64(1.125), "{wait:?} for {expected}");
        now += wait;
        assert_eq!(schedule.next(Moment { mono: now, wall: START }), Next::Fetch);
    }
}

#[test]
fn retry_after_is_obeyed_up_to_ten_minutes_and_never_shortens_a_wait() {
    for (said, least, most) in [(0, 1, 2), (45, 45, 51), (599, 599, 675), (u64::MAX, 600, 675)] {
        let mut schedule = schedule();
        schedule.began(at(0));
        schedule.failed(at(0), Some(secs(said)));
        assert!(matches!(schedule.next(at(least - 1)), Next::Wait(_)), "{said}");
        assert_eq!(schedule.next(at(most)), Next::Fetch, "{said}");
    }
}

#[test]
fn keys_end_after_their_life_and_the_stale_time_to_the_second() {
    let mut schedule = loaded(0);
    for now in (3_000..7_200).step_by(60) {
        schedule.began(at(now));
        schedule.failed(at(now), None);
    }
    assert!(schedule.is_usable(at(7_199)));
    assert!(!schedule.is_usable(at(7_200)));
    assert_eq!(schedule.good_until(), Some(START.saturating_add(secs(7_200))));
}

#[test]
fn a_clock_set_back_makes_keys_no_younger() {
    let schedule = loaded(0);
    let set_back = Moment { mono: secs(7_200), wall: UnixTime::EPOCH };
    assert!(!schedule.is_usable(set_back));
    assert_eq!(schedule.next(set_back), Next::Fetch);
}

#[test]
fn a_machine_that_slept_asks_as_soon_as_it_wakes() {
    let schedule = loaded(0);
    let slept = Moment { mono: secs(60), wall: START.saturating_add(secs(86_400)) };
    assert!(!schedule.is_usable(slept));
    assert_eq!(schedule.next(slept), Next::Fetch);
}

#[test]
fn keys_are_as_old_as_the_question_and_not_as_the_answer() {
    let mut schedule = schedule();
    schedule.began(at(100));
    schedule.succeeded(at(109), Freshness::lasting(secs(3_600)));
    assert_eq!(schedule.good_until(), Some(START.saturating_add(secs(100 + 7_200))));
}

/// What may happen to a driver, in any order.
#[derive(Clone, Debug)]
enum Event {
    Time(u64),
    /// The wall clock alone is set, by seconds either way.
    Set(i64),
    Unknown,
    /// How the next request ends: after this many seconds, with this freshness or this `Retry-After`.
    Answer(u64, Result<Option<u64>, Option<u64>>),
}

fn event() -> impl Strategy<Value = Event> {
    let freshness = proptest::option::of(0_u64..10_000);
    let retry_after = proptest::option::of(0_u64..10_000);
    prop_oneof![
        4 => (0_u64..4_000).prop_map(Event::Time),
        2 => (0_u64..90).prop_map(Event::Time),
        1 => (-100_000_i64..100_000).prop_map(Event::Set),
        4 => Just(Event::Unknown),
        2 => (0_u64..10, freshness).prop_map(|(took, freshness)| Event::Answer(took, Ok(freshness))),
        2 => (0_u64..10, retry_after).prop_map(|(took, after)| Event::Answer(took, Err(after))),
    ]
}

/// A driver without anything around it.
struct Play {
    schedule: Schedule,
    mono: Duration,
    /// Nanoseconds of the wall clock since `START`.
    wall: i64,
    answer: (u64, Result<Option<u64>, Option<u64>>),
    begun: Vec<Duration>,
    /// Of the last success: when it was asked for and how long it may be believed at most.
    believed: Option<(Moment, Duration)>,
}

impl Play {
    fn moment(&self) -> Moment {
        Moment { mono: self.mono, wall: UnixTime::from_nanos(START.as_nanos() + self.wall) }
    }

    fn pass(&mut self, time: Duration) {
        self.mono += time;
        self.wall += i64::try_from(time.as_nanos()).unwrap();
    }

    /// Does what the schedule says for this long. Checks each step.
    fn run(&mut self, time: Duration, cooldown: Duration) -> Result<(), TestCaseError> {
        let end = self.mono + time;
        let mut steps = 0;
        loop {
            steps += 1;
            // INVARIANT(progress): no spinning, no endless wait.
            prop_assert!(steps < 1_000, "it spins");
            let now = self.moment();
            self.check(now)?;
            match self.schedule.next(now) {
                Next::Wait(wait) => {
                    prop_assert!(!wait.is_zero() && wait <= TICK);
                    if self.mono + wait > end {
                        self.pass(end.saturating_sub(self.mono));
                        return Ok(());
                    }
                    self.pass(wait);
                }
                Next::Fetch => self.fetch(now, cooldown)?,
            }
        }
    }

    fn fetch(&mut self, now: Moment, cooldown: Duration) -> Result<(), TestCaseError> {
        // INVARIANT(spacing)
        if let Some(last) = self.begun.last() {
            let least = if self.schedule.failures() > 0 { RETRY } else { cooldown };
            prop_assert!(self.mono - *last >= least);
        }
        self.schedule.began(now);
        self.begun.push(self.mono);
        let (took, outcome) = self.answer;
        self.pass(secs(took));
        let ended = self.moment();
        match outcome {
            Ok(freshness) => {
                let freshness = freshness.map_or(Freshness::UNSAID, |said| Freshness::lasting(secs(said)));
                self.schedule.succeeded(ended, freshness);
                let ttl = freshness.lifetime().unwrap_or(secs(600)).clamp(secs(60), secs(3_600));
                self.believed = Some((now, ttl + Rules::DEFAULT.stale_for));
            }
            Err(after) => self.schedule.failed(ended, after.map(secs)),
        }
        Ok(())
    }

    /// INVARIANT(hard-end), told independently: on each of the two clocks for itself.
    fn check(&self, now: Moment) -> Result<(), TestCaseError> {
        let Some((at, most)) = self.believed else {
            prop_assert!(!self.schedule.is_usable(now));
            return Ok(());
        };
        if self.schedule.is_usable(now) {
            prop_assert!(now.mono - at.mono < most && now.wall.since(at.wall) < most);
        }
        prop_assert_eq!(self.schedule.good_until(), Some(at.wall.saturating_add(most)));
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn requests_are_few_and_keys_end_whatever_happens(
        seed: u64,
        cooldown in 5_u64..300,
        events in proptest::collection::vec(event(), 1..40),
    ) {
        let cooldown = secs(cooldown);
        let rules = Rules { cooldown, ..Rules::DEFAULT };
        let mut play = Play {
            schedule: Schedule::new(rules, seed),
            mono: Duration::ZERO,
            wall: 0,
            answer: (0, Ok(None)),
            begun: Vec::new(),
            believed: None,
        };
        for event in events {
            match event {
                Event::Time(time) => play.run(secs(time), cooldown)?,
                Event::Set(by) => play.wall += by * 1_000_000_000,
                Event::Unknown => play.schedule.want(),
                Event::Answer(took, outcome) => play.answer = (took, outcome),
            }
        }
        // Six doublings from a second, then 30 seconds without keys or a cooldown with them.
        let spacing = cooldown.min(MAX_RETRY).as_secs();
        let most = 7 + play.mono.as_secs() / spacing;
        prop_assert!(u64::try_from(play.begun.len()).unwrap() <= most, "{} > {most}", play.begun.len());
    }

    #[test]
    fn while_there_are_keys_requests_are_a_cooldown_apart(
        seed: u64,
        answers in proptest::collection::vec((any::<bool>(), 0_u64..100), 1..60),
    ) {
        let mut schedule = Schedule::new(Rules::DEFAULT, seed);
        schedule.began(at(0));
        schedule.succeeded(at(0), Freshness::UNSAID);
        let (mut now, mut last) = (0, 0);
        for (is_good, step) in answers {
            now += step;
            schedule.want();
            if schedule.is_usable(at(now)) && schedule.next(at(now)) == Next::Fetch {
                prop_assert!(now - last >= 30);
                last = now;
                schedule.began(at(now));
                if is_good { schedule.succeeded(at(now), Freshness::UNSAID) } else { schedule.failed(at(now), None) }
            }
        }
    }
}
