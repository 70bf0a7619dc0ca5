//! One-time tokens and counters.

use std::time::Duration;

use bartizan_sessions::{ErrorKind, Purpose};

use crate::world::{World, by, kind, run};

const RESET: Purpose<'static> = Purpose::PASSWORD_RESET;
const VERIFY: Purpose<'static> = Purpose::EMAIL_VERIFICATION;

#[test]
fn a_token_is_good_once_for_its_purpose() {
    let world = World::new();
    let once = world.sessions.one_time();
    let token = run(once.make(VERIFY, "north", "ada", "ada@example.org", &by())).unwrap();
    assert_eq!(token.expose().len(), 5 + 43);
    assert_eq!(kind(run(once.take(token.as_raw(), RESET, &by()))), ErrorKind::Refused);
    let taken = run(once.take(token.as_raw(), VERIFY, &by())).unwrap();
    assert_eq!((&*taken.tenant, &*taken.subject, &*taken.data), ("north", "ada", "ada@example.org"));
    assert_eq!(kind(run(once.take(token.as_raw(), VERIFY, &by()))), ErrorKind::Refused);
    assert_eq!(world.happened(), ["once_made", "once_used"]);
}

#[test]
fn of_64_who_use_it_at_once_one_succeeds() {
    let world = World::new();
    let once = world.sessions.one_time();
    let token = run(once.make(RESET, "north", "ada", "", &by())).unwrap();
    let taken = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..64).map(|_| scope.spawn(|| run(once.take(token.as_raw(), RESET, &by())).is_ok())).collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap().then_some(())).count()
    });
    assert_eq!(taken, 1);
}

#[test]
fn a_reset_lives_for_an_hour_and_a_verification_for_a_day() {
    let world = World::new();
    let once = world.sessions.one_time();
    for (purpose, secs) in [
        (RESET, 3_600),
        (VERIFY, 86_400),
        (RESET.for_at_most(Duration::from_secs(600)), 600),
        (RESET.for_at_most(Duration::MAX), 3_600),
    ] {
        let good = run(once.make(purpose, "north", "ada", "", &by())).unwrap();
        let late = run(once.make(purpose, "north", "bob", "", &by())).unwrap();
        world.pass(secs - 1);
        assert!(run(once.take(good.as_raw(), purpose, &by())).is_ok());
        world.pass(1);
        assert_eq!(kind(run(once.take(late.as_raw(), purpose, &by()))), ErrorKind::Refused);
    }
}

#[test]
fn a_newer_token_and_the_end_of_all_sessions_make_it_worthless() {
    let world = World::new();
    let once = world.sessions.one_time();
    let make = || run(once.make(RESET, "north", "ada", "", &by())).unwrap();
    let (first, second) = (make(), make());
    assert_eq!(kind(run(once.take(first.as_raw(), RESET, &by()))), ErrorKind::Refused);
    run(world.sessions.credential_changed("north", "ada", &by())).unwrap();
    assert_eq!(kind(run(once.take(second.as_raw(), RESET, &by()))), ErrorKind::Refused);
    assert!(run(once.take(make().as_raw(), RESET, &by())).is_ok());
}

#[test]
fn a_counter_goes_up_only() {
    let world = World::new();
    let once = world.sessions.one_time();
    let advance = |to| run(once.advance("north", "ada", "totp", to)).unwrap();
    assert!(advance(56_666_667) && !advance(56_666_667) && !advance(1) && advance(56_666_668));
    for (counter, to) in [("", 1), ("TOTP", 1), ("a b", 1), ("totp", 1 << 53)] {
        assert_eq!(kind(run(once.advance("north", "ada", counter, to))), ErrorKind::Limits);
    }
}

#[test]
fn purposes_and_data_have_limits() {
    let world = World::new();
    let once = world.sessions.one_time();
    for (name, secs) in [("", 1), ("Reset", 1), (&*"a".repeat(65), 1), ("a", 0), ("a", 86_401)] {
        assert_eq!(kind(Purpose::new(name, Duration::from_secs(secs))), ErrorKind::Limits);
    }
    let invite = Purpose::new("invite", Duration::from_secs(86_400)).unwrap();
    let long = "x".repeat(1_025);
    for (subject, data) in [("ada", &*long), ("", "")] {
        assert_eq!(kind(run(once.make(invite, "north", subject, data, &by()))), ErrorKind::Limits);
    }
    let token = run(once.make(invite, "north", "ada", &long[1..], &by())).unwrap();
    assert_eq!(run(once.take(token.as_raw(), invite, &by())).unwrap().data.len(), 1_024);
}
