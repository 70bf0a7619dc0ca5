//! API keys.

use std::time::Duration;

use bartizan_core::{Attestation, RawToken};
use bartizan_sessions::{ApiKey, ApiKeys, ErrorKind, NewKey, Refusal, StoredKey};

use crate::world::{ISSUER, START, World, by, kind, run};

const DAY: u64 = 86_400;

fn new() -> NewKey<'static> {
    NewKey::new("north", "billing", "nightly export").scopes(["invoice:read", "invoice:export"])
}

fn keys(world: &World) -> ApiKeys {
    world.sessions.api_keys("clinic_live").unwrap()
}

fn make(world: &World) -> (StoredKey, ApiKey) {
    run(keys(world).make(&new(), &by())).unwrap()
}

#[test]
fn a_key_is_a_principal_with_its_scopes_as_roles() {
    let world = World::new();
    let (key, text) = make(&world);
    assert!(text.expose().starts_with("clinic_live_") && text.expose().len() == 12 + 64);
    let used = run(keys(&world).check(text.as_raw())).unwrap();
    assert_eq!(used.id(), key.id);
    assert!(used.allows("invoice:read") && !used.allows("invoice") && !used.allows("INVOICE:READ"));
    let who = used.into_principal();
    assert_eq!((who.tenant(), who.subject(), who.how()), ("north", "billing", Attestation::ApiKey));
    assert_eq!(
        (who.credential(), who.issuer(), who.session()),
        (Some(&*key.id.to_string()), Some(ISSUER), None)
    );
    assert_eq!(who.expires(), Some(START.saturating_add(Duration::from_secs(90 * DAY))));
    assert!(who.roles().contains("invoice:export"));
    assert!(who.authenticated().is_none(), "nobody was there to be authenticated");
}

#[test]
fn a_key_ends_by_its_age_and_by_its_owner_and_not_with_sessions() {
    let world = World::new();
    let (_, old) = make(&world);
    world.pass(90 * DAY - 1);
    assert!(run(keys(&world).check(old.as_raw())).is_ok());
    world.pass(1);
    assert_eq!(run(keys(&world).check(old.as_raw())).unwrap_err().refusal(), Some(Refusal::Expired));
    let (key, text) = make(&world);
    run(world.sessions.end_all("north", "billing", &by())).unwrap();
    assert!(run(keys(&world).check(text.as_raw())).is_ok());
    assert!(!run(keys(&world).end("north", "somebody", key.id, &by())).unwrap());
    assert!(run(keys(&world).end("north", "billing", key.id, &by())).unwrap());
    assert_eq!(run(keys(&world).check(text.as_raw())).unwrap_err().refusal(), Some(Refusal::Ended));
    assert!(!key.lives_at(key.expires) && key.lives_at(key.made));
}

#[test]
fn a_replaced_key_goes_on_for_as_long_as_was_said() {
    let world = World::new();
    let (old, old_text) = make(&world);
    let hour = Duration::from_secs(3_600);
    let (_, new_text) = run(keys(&world).replace(old.id, hour, &new(), &by())).unwrap().unwrap();
    let is_good = |text: &ApiKey| run(keys(&world).check(text.as_raw())).is_ok();
    assert!(is_good(&old_text) && is_good(&new_text));
    world.pass(3_600);
    assert!(!is_good(&old_text) && is_good(&new_text));
    assert!(run(keys(&world).replace(old.id, hour, &new(), &by())).unwrap().is_none(), "it does not live");
    let long = Duration::from_secs(31 * DAY);
    assert_eq!(kind(run(keys(&world).replace(old.id, long, &new(), &by()))), ErrorKind::Limits);
    let listed = run(keys(&world).list("north", "billing")).unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(world.happened(), ["key_made", "key_replaced"]);
}

#[test]
fn the_last_use_is_known_to_the_minute() {
    let world = World::new();
    let (_, text) = make(&world);
    let calls = || {
        let before = world.store.calls();
        run(keys(&world).check(text.as_raw())).unwrap();
        world.store.calls() - before
    };
    assert_eq!((calls(), calls()), (2, 1));
    world.pass(59);
    assert_eq!(calls(), 1);
    world.pass(1);
    assert_eq!(calls(), 2);
    let listed = run(keys(&world).list("north", "billing")).unwrap();
    assert_eq!(listed[0].used, Some(START.saturating_add(Duration::from_secs(60))));
}

#[test]
fn keys_that_may_not_be_are_not_made() {
    let world = World::new();
    let long = "x".repeat(256);
    for new in [
        NewKey::new("", "billing", "n"),
        NewKey::new("north", "a\nb", "n"),
        NewKey::new("north", "billing", ""),
        NewKey::new("north", "billing", &long),
        new().scopes(["a\u{0}b"]),
        new().scopes((0..65).map(|n| format!("s{n}"))),
        new().lives(Duration::from_secs(59)),
        new().lives(Duration::from_secs(401 * DAY)),
    ] {
        assert_eq!(kind(run(keys(&world).make(&new, &by()))), ErrorKind::Limits);
    }
    for prefix in ["", "ab", "Clinic", "1abc", "clinic-live", "_abc", &"a".repeat(33)] {
        assert_eq!(kind(world.sessions.api_keys(prefix)), ErrorKind::Config, "{prefix}");
    }
    for _ in 0..100 {
        make(&world);
    }
    assert_eq!(kind(run(keys(&world).make(&new(), &by()))), ErrorKind::TooMany);
}

#[test]
fn a_key_of_another_prefix_is_none() {
    let world = World::new();
    let (_, text) = make(&world);
    let test = world.sessions.api_keys("clinic_test").unwrap();
    assert_eq!(kind(run(test.check(text.as_raw()))), ErrorKind::Refused);
    let renamed = text.expose().replace("live", "test");
    assert!(test.is_well_formed(RawToken::new(&renamed)) && !test.is_well_formed(text.as_raw()));
    assert!(ApiKey::is_well_formed(text.as_raw(), "clinic_live"));
    assert!(!ApiKey::is_well_formed(text.as_raw(), "clinic"));
}
