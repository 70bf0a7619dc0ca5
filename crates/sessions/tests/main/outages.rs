//! A store that is down, or never answers: closed, within the bound, and well again without a restart.

use std::time::Duration;

use bartizan_core::Fault;
use bartizan_sessions::{Ended, Error, ErrorKind, Freshness, NewKey, Policy, Proof, Purpose};

use crate::world::{World, ada, by, run, run_after};

const TIMEOUT: Duration = Duration::from_secs(2);

#[test]
fn every_call_says_that_the_store_is_unavailable_and_none_grants_or_refuses() {
    for stuck in [false, true] {
        let world = World::with(Policy::guide().store_timeout(TIMEOUT));
        let sessions = &world.sessions;
        let (session, token) = run(sessions.begin(&ada(), &by())).unwrap();
        let (_, cookie) = run(sessions.login(&ada(), &by())).unwrap();
        let (keys, once) = (sessions.api_keys("clinic_live").unwrap(), sessions.one_time());
        let (key, key_text) = run(keys.make(&NewKey::new("north", "ada", "k"), &by())).unwrap();
        let reset = run(once.make(Purpose::PASSWORD_RESET, "north", "ada", "", &by())).unwrap();
        let id = session.id.key;
        let proof = Proof::new();
        let (login, new, caller) = (ada(), NewKey::new("north", "ada", "k"), by());

        if stuck {
            world.store.stop();
        } else {
            world.store.take_down();
        }
        macro_rules! is_out {
            ($call:expr) => {
                let answer: Result<(), Error> = if stuck {
                    run_after(async { $call.await.map(drop) }, &world.clock, TIMEOUT)
                } else {
                    run(async { $call.await.map(drop) })
                };
                let error = answer.expect_err(stringify!($call));
                assert_eq!((error.kind(), error.fault()), (ErrorKind::Unavailable, Fault::Backend));
                assert!(error.is_transient() && error.refusal().is_none());
            };
        }
        is_out!(sessions.begin(&login, &caller));
        is_out!(sessions.login(&login, &caller));
        is_out!(sessions.rotate(token.as_raw(), &caller));
        is_out!(sessions.confirm(session.id, 0));
        is_out!(sessions.check(cookie.as_raw(), Freshness::ReadThrough));
        is_out!(sessions.check(cookie.as_raw(), Freshness::Snapshot(TIMEOUT)));
        is_out!(world.node.check(cookie.as_raw(), Freshness::Snapshot(TIMEOUT)));
        is_out!(sessions.elevate(cookie.as_raw(), &proof, &caller));
        is_out!(sessions.logout(cookie.as_raw(), &caller));
        is_out!(sessions.list("north", "ada"));
        is_out!(sessions.end("north", "ada", id, Ended::Revoked, &caller));
        is_out!(sessions.end_others("north", "ada", id, &caller));
        is_out!(sessions.end_all("north", "ada", &caller));
        is_out!(sessions.credential_changed("north", "ada", &caller));
        is_out!(sessions.end_everything(&caller));
        is_out!(sessions.epochs("north", "ada"));
        is_out!(sessions.purge());
        is_out!(sessions.health());
        is_out!(keys.make(&new, &caller));
        is_out!(keys.check(key_text.as_raw()));
        is_out!(keys.list("north", "ada"));
        is_out!(keys.replace(key.id, TIMEOUT, &new, &caller));
        is_out!(keys.end("north", "ada", key.id, &caller));
        is_out!(once.make(Purpose::PASSWORD_RESET, "north", "ada", "", &caller));
        is_out!(once.take(reset.as_raw(), Purpose::PASSWORD_RESET, &caller));
        is_out!(once.advance("north", "ada", "totp", 1));

        world.store.open();
        run(sessions.health()).unwrap();
        assert!(run(sessions.check(cookie.as_raw(), Freshness::ReadThrough)).is_ok());
        assert!(run(keys.check(key_text.as_raw())).is_ok());
        assert!(run(once.take(reset.as_raw(), Purpose::PASSWORD_RESET, &by())).is_ok());
        assert!(run(sessions.rotate(token.as_raw(), &by())).is_ok());
    }
}

#[test]
fn a_rotation_whose_answer_was_lost_can_be_repeated_in_a_window() {
    let world = World::with(Policy::guide().danger_grace(Duration::from_secs(30)));
    let (_, token) = run(world.sessions.begin(&ada(), &by())).unwrap();
    // The store does it, and the node is killed before it answers.
    let lost = run(world.sessions.rotate(token.as_raw(), &by())).unwrap().token.expose().to_owned();
    let again = run(world.node.rotate(token.as_raw(), &by())).unwrap();
    assert!(again.is_replay);
    assert_eq!(again.token.expose(), lost);
}

#[test]
fn a_source_of_randomness_that_fails_makes_nothing() {
    use std::sync::Arc;

    use bartizan_crypto_ring::Ring;
    use bartizan_sessions::Sessions;
    use bartizan_testkit::BrokenEntropy;

    let world = World::new();
    let sessions = Sessions::new(
        crate::world::ISSUER,
        world.store.clone(),
        Arc::new(Ring::new()),
        Arc::new(BrokenEntropy),
        world.clock.clone(),
        Policy::guide(),
    )
    .unwrap();
    let calls = world.store.calls();
    assert_eq!(run(sessions.begin(&ada(), &by())).unwrap_err().kind(), ErrorKind::Entropy);
    assert_eq!(run(sessions.login(&ada(), &by())).unwrap_err().kind(), ErrorKind::Entropy);
    assert_eq!(world.store.calls(), calls);
}

#[test]
fn a_store_in_memory_that_is_full_says_that_it_is_busy_and_ends_sessions_all_the_same() {
    use std::sync::Arc;

    use bartizan_crypto_ring::Ring;
    use bartizan_sessions::{MemoryStore, Sessions};
    use bartizan_testkit::SeededEntropy;

    let world = World::new();
    let sessions = Sessions::new(
        crate::world::ISSUER,
        Arc::new(MemoryStore::with_rows(4)),
        Arc::new(Ring::new()),
        Arc::new(SeededEntropy::new(1)),
        world.clock.clone(),
        Policy::guide(),
    )
    .unwrap();
    let (_, first) = run(sessions.begin(&ada(), &by())).unwrap();
    let (_, second) = run(sessions.begin(&ada(), &by())).unwrap();
    let error = run(sessions.begin(&ada(), &by())).unwrap_err();
    assert_eq!((error.kind(), error.fault()), (ErrorKind::Busy, Fault::Busy));
    assert_eq!(run(sessions.rotate(first.as_raw(), &by())).unwrap_err().kind(), ErrorKind::Busy);
    run(sessions.logout(first.as_raw(), &by())).unwrap();
    assert_eq!(run(sessions.rotate(first.as_raw(), &by())).unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(run(sessions.end_all("north", "ada", &by())).unwrap(), 1);
    assert_eq!(run(sessions.rotate(second.as_raw(), &by())).unwrap_err().kind(), ErrorKind::Refused);
}
