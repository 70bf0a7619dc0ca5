//! Nothing secret is shown anywhere.

use std::sync::Arc;

use bartizan_core::RawToken;
use bartizan_sessions::{By, Courier, Device, Freshness, Login, NewKey, Outbox, Purpose, SessionStore};
use bartizan_testkit::MemoryRecorder;

use crate::world::{World, ada, by, run};

#[test]
fn row_30_no_credential_and_no_digest_is_in_debug_errors_entries_or_facts() {
    let world = World::new();
    let (session, refresh) = run(world.sessions.begin(&ada(), &by())).unwrap();
    let rotated = run(world.sessions.rotate(refresh.as_raw(), &by())).unwrap();
    let (_, cookie) = run(world.sessions.login(&ada(), &by())).unwrap();
    let keys = world.sessions.api_keys("clinic_live").unwrap();
    let (stored_key, key) = run(keys.make(&NewKey::new("north", "ada", "export"), &by())).unwrap();
    let reset =
        run(world.sessions.one_time().make(Purpose::PASSWORD_RESET, "north", "ada", "", &by())).unwrap();
    let checked = run(world.sessions.check(cookie.as_raw(), Freshness::ReadThrough)).unwrap();
    let error = run(world.sessions.rotate(refresh.as_raw(), &by())).unwrap_err();
    let recorder = Arc::new(MemoryRecorder::default());
    let courier = Courier::new(world.store.clone(), recorder.clone(), world.clock.clone(), "clinic");
    let entries = run(world.store.sound.pending(100)).unwrap();
    run(courier.deliver()).unwrap();
    let rows = run(world.store.sound.list("north", "ada", session.begun)).unwrap();

    let shown = format!(
        "{refresh:?} {rotated:?} {cookie:?} {key:?} {stored_key:?} {reset:?} {checked:?} {error:?} {error} {:?} {:#?} {:?} \
         {entries:?} {:?} {courier:?} {keys:?} {rows:?}",
        world.sessions,
        world.node,
        world.snapshot,
        recorder.facts(),
    );
    for secret in [refresh.expose(), rotated.token.expose(), cookie.expose(), key.expose(), reset.expose()] {
        let body = secret.rsplit('_').next().unwrap();
        for piece in [secret, body, &body[..body.len().min(22)]] {
            assert!(piece.len() < 8 || !shown.contains(piece));
        }
    }
    assert!(shown.contains("Digest(..)") && !shown.contains("[1") && !shown.contains("0x"));
}

#[test]
fn names_and_devices_are_not_in_the_debug_of_what_asks() {
    let login = Login::new("north", "canary-subject")
        .roles(["canary-role"])
        .device(Device::named("canary-device"))
        .bound_to(b"canary")
        .instead_of(Some(RawToken::new("canary-token")));
    let shown = format!("{login:?} {:?}", By::owner());
    assert!(!shown.contains("canary"), "{shown}");
    let world = World::new();
    run(world.sessions.begin(&login, &by())).unwrap();
    let shown = format!("{:?} {:?} {:?}", world.sessions, world.store.sound, world.snapshot);
    assert!(!shown.contains("canary"), "{shown}");
}
