//! What happened goes on record, at least once, and not before it happened.

use std::{future::Future, sync::Arc, time::Duration};

use bartizan_audit_events::Event;
use bartizan_core::{Attestation, Delivery, Outcome, Principal, PrincipalFacts};
use bartizan_sessions::{By, Courier, Ended, ErrorKind, NewKey, Outbox, Purpose, SessionStore};
use bartizan_testkit::MemoryRecorder;

use crate::world::{World, ada, by, kind, run};

fn courier(world: &World) -> (Courier, Arc<MemoryRecorder>) {
    let recorder = Arc::new(MemoryRecorder::default());
    (Courier::new(world.store.clone(), recorder.clone(), world.clock.clone(), "clinic"), recorder)
}

fn pending(world: &World) -> usize {
    run(world.store.sound.pending(10_000)).unwrap().len()
}

#[test]
fn each_happening_is_an_event_of_the_catalogue() {
    let world = World::new();
    let (courier, recorder) = courier(&world);
    let (session, token) = run(world.sessions.begin(&ada(), &by())).unwrap();
    run(world.sessions.rotate(token.as_raw(), &by())).unwrap();
    run(world.sessions.rotate(token.as_raw(), &by())).unwrap_err();
    let (_, cookie) = run(world.sessions.login(&ada(), &by())).unwrap();
    run(world.sessions.logout(cookie.as_raw(), &by())).unwrap();
    let admin = PrincipalFacts::new("north", "root").with_request("req-7");
    let admin = Principal::attested(Attestation::Token, admin).unwrap();
    let other = run(world.sessions.login(&ada(), &by())).unwrap().0;
    run(world.sessions.end("north", "ada", other.id.key, Ended::Revoked, &By::principal(&admin))).unwrap();
    run(world.sessions.credential_changed("north", "ada", &by())).unwrap();
    run(world.sessions.end_everything(&by())).unwrap();
    let keys = world.sessions.api_keys("clinic_live").unwrap();
    let (key, _) = run(keys.make(&NewKey::new("north", "ada", "export"), &by())).unwrap();
    let (key, _) = run(keys.replace(key.id, Duration::ZERO, &NewKey::new("north", "ada", "export 2"), &by()))
        .unwrap()
        .unwrap();
    run(keys.end("north", "ada", key.id, &by())).unwrap();
    let once = world.sessions.one_time();
    let token = run(once.make(Purpose::PASSWORD_RESET, "north", "ada", "", &by())).unwrap();
    run(once.take(token.as_raw(), Purpose::PASSWORD_RESET, &by())).unwrap();

    let entries = pending(&world);
    assert_eq!(run(courier.deliver()).unwrap(), entries);
    assert_eq!((pending(&world), run(courier.deliver()).unwrap()), (0, 0));
    let facts = recorder.facts();
    let codes: Vec<_> = facts.iter().map(|fact| fact.code).collect();
    let expected = [
        Event::SESSION_CREATED,
        Event::SESSION_RENEWED,
        Event::AUTHN_TOKEN_REUSE,
        Event::SESSION_CREATED,
        Event::SESSION_LOGOUT,
        Event::SESSION_CREATED,
        Event::SESSION_REVOKED,
        Event::SESSIONS_REVOKED,
        Event::ALL_SESSIONS_REVOKED,
        Event::API_KEY_CREATED,
        Event::API_KEY_REPLACED,
        Event::API_KEY_REVOKED,
        Event::AUTHN_TOKEN_CREATED,
        Event::ONE_TIME_TOKEN_USED,
    ];
    assert_eq!(codes, expected.map(|event| event.code()));
    assert_eq!((facts[2].outcome, facts[2].delivery), (Outcome::Denied, Delivery::Critical));
    assert_eq!((facts[2].reason, facts[7].reason), (Some("reused"), Some("credential_changed")));
    assert!(facts[0].shown.contains(&session.id.to_string()) && facts[0].shown.contains("clinic"));
    assert!(facts[6].shown.contains("req-7"), "who did it and in which request");
    assert!(facts.iter().enumerate().all(|(at, fact)| fact.shown.contains(&format!("Number({})", at + 1))));
}

#[test]
fn what_is_not_durable_is_not_taken_out_and_comes_again() {
    let world = World::new();
    let (courier, recorder) = courier(&world);
    run(world.sessions.begin(&ada(), &by())).unwrap();
    recorder.lose();
    assert_eq!(kind(run(courier.deliver())), ErrorKind::Unavailable);
    assert_eq!(pending(&world), 1);
    let (again, recorder) = self::courier(&world);
    assert_eq!(run(again.deliver()).unwrap(), 1);
    assert_eq!((pending(&world), recorder.facts().len()), (0, 1));
    recorder.refuse();
    run(world.sessions.begin(&ada(), &by())).unwrap();
    assert_eq!(kind(run(again.deliver())), ErrorKind::Unavailable);
    assert_eq!(pending(&world), 1);
}

#[test]
fn a_courier_that_is_killed_between_the_record_and_the_outbox_delivers_again_under_the_same_number() {
    let world = World::new();
    let (courier, recorder) = courier(&world);
    run(world.sessions.begin(&ada(), &by())).unwrap();
    // The outbox is read and the record is written; then the store stops, and the courier is killed where it waits for it.
    world.store.stop_after(1);
    {
        let mut delivery = std::pin::pin!(courier.deliver());
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(delivery.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(recorder.facts().len(), 1);
    assert_eq!(pending(&world), 1, "the outbox has not heard of it");
    world.store.open();
    let facts = recorder.facts().len();
    assert_eq!(run(courier.deliver()).unwrap(), 1);
    let shown: Vec<_> = recorder.facts().into_iter().map(|fact| fact.shown).collect();
    assert_eq!(shown.len(), facts + 1);
    assert!(shown.iter().all(|fact| fact.contains("Number(1)") && *fact == shown[0]));
}

#[test]
fn a_write_that_is_not_done_is_not_told_and_one_that_is_told_is_done() {
    let world = World::new();
    world.store.take_down();
    run(world.sessions.begin(&ada(), &by())).unwrap_err();
    world.store.open();
    assert_eq!(pending(&world), 0);
    let (session, _) = run(world.sessions.login(&ada(), &by())).unwrap();
    let told = run(world.store.sound.pending(10)).unwrap();
    assert_eq!(told[0].session, Some(session.id));
    assert_eq!(run(world.store.sound.list("north", "ada", session.begun)).unwrap().len(), 1);
}

#[test]
fn who_asks_has_limits() {
    let world = World::new();
    let long = "\"".repeat(600);
    let answer = run(world.sessions.begin(&ada(), &By::owner().request(&long)));
    assert_eq!(kind(answer), ErrorKind::Limits);
}
