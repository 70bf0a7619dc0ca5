//! Sessions that a node keeps in memory.

use std::time::Duration;

use bartizan_sessions::{CookieToken, ErrorKind, Freshness, Login, Policy, Proof, Sessions};

use crate::world::{World, ada, by, kind, run};

const RECENT: Freshness = Freshness::Snapshot(Duration::from_secs(30));

fn login(world: &World) -> CookieToken {
    run(world.sessions.login(&ada(), &by())).unwrap().1
}

/// How often the store is asked for a check.
fn calls(world: &World, node: &Sessions, cookie: &CookieToken, freshness: Freshness) -> u64 {
    let before = world.store.calls();
    run(node.check(cookie.as_raw(), freshness)).unwrap();
    world.store.calls() - before
}

#[test]
fn a_session_that_was_found_recently_is_answered_without_the_store_and_with_the_same_words() {
    let world = World::new();
    let cookie = login(&world);
    world.refresh_node();
    let from_store = run(world.node.check(cookie.as_raw(), RECENT)).unwrap();
    assert_eq!(calls(&world, &world.node, &cookie, RECENT), 0);
    let kept = run(world.node.check(cookie.as_raw(), RECENT)).unwrap();
    assert_eq!((kept.id(), kept.expires()), (from_store.id(), from_store.expires()));
    let (one, other) = (from_store.principal(), kept.principal());
    assert_eq!(
        (
            one.tenant(),
            one.subject(),
            one.session(),
            one.acr(),
            one.authenticated(),
            one.issuer(),
            one.expires()
        ),
        (
            other.tenant(),
            other.subject(),
            other.session(),
            other.acr(),
            other.authenticated(),
            other.issuer(),
            other.expires()
        )
    );
    assert!(
        other.roles().contains("doctor") && other.teams().contains("ward 3") && other.amr().contains("pwd")
    );
    assert_eq!(calls(&world, &world.node, &cookie, Freshness::ReadThrough), 1);
    assert_eq!(calls(&world, &world.sessions, &cookie, RECENT), 1, "a node without copies asks every time");
}

#[test]
fn it_is_asked_again_once_it_is_older_than_the_route_allows() {
    let world = World::new();
    let cookie = login(&world);
    world.refresh_node();
    assert_eq!(calls(&world, &world.node, &cookie, RECENT), 1);
    world.pass(30);
    world.refresh_node();
    assert_eq!(calls(&world, &world.node, &cookie, RECENT), 0);
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(calls(&world, &world.node, &cookie, RECENT), 1);
    // Nor is it believed when nobody follows the feed: it may have ended since.
    world.pass(6);
    assert_eq!(calls(&world, &world.node, &cookie, Freshness::ReadThrough), 1);
    assert_eq!(calls(&world, &world.node, &cookie, Freshness::Snapshot(Duration::from_secs(5))), 1);
    world.refresh_node();
    assert_eq!(calls(&world, &world.node, &cookie, Freshness::Snapshot(Duration::from_secs(5))), 0);
}

#[test]
fn a_secret_that_is_wrong_is_wrong_in_memory_too() {
    let world = World::new();
    let cookie = login(&world);
    world.refresh_node();
    run(world.node.check(cookie.as_raw(), RECENT)).unwrap();
    let wrong = format!("{}{}", &cookie.expose()[..60], "AAAAAAAAA");
    let answer = run(world.node.check(bartizan_core::RawToken::new(&wrong), RECENT));
    assert_eq!(kind(answer), ErrorKind::Refused);
}

#[test]
fn it_dies_of_idleness_and_age_in_memory_too() {
    let world = World::with(Policy::guide().idle(Duration::from_secs(60)).absolute(Duration::from_secs(100)));
    let cookie = login(&world);
    let wide = Freshness::Snapshot(Duration::from_secs(800));
    world.refresh_node();
    run(world.node.check(cookie.as_raw(), wide)).unwrap();
    world.pass(60);
    assert_eq!(kind(run(world.node.check(cookie.as_raw(), wide))), ErrorKind::Refused);
}

#[test]
fn uses_are_noted_from_memory_too() {
    let world = World::new();
    let cookie = login(&world);
    let wide = Freshness::Snapshot(Duration::from_secs(800));
    world.refresh_node();
    assert_eq!(calls(&world, &world.node, &cookie, wide), 1);
    world.pass(60);
    assert_eq!(calls(&world, &world.node, &cookie, wide), 1);
    assert_eq!(calls(&world, &world.node, &cookie, wide), 0);
    let listed = run(world.sessions.list("north", "ada")).unwrap();
    assert_eq!(listed[0].seen.since(listed[0].begun), Duration::from_secs(60));
}

#[test]
fn what_this_node_changed_it_knows_at_once() {
    let world = World::new();
    world.refresh_node();
    let check = |cookie: &CookieToken| run(world.node.check(cookie.as_raw(), RECENT)).map(|_| ());
    let old = login(&world);
    check(&old).unwrap();
    let (_, new) = run(world.node.elevate(old.as_raw(), &Proof::new().acr("two"), &by())).unwrap();
    assert_eq!(kind(check(&old)), ErrorKind::Refused);
    check(&new).unwrap();
    let (_, other) = run(world.node.login(&ada().instead_of(Some(new.as_raw())), &by())).unwrap();
    assert_eq!(kind(check(&new)), ErrorKind::Refused);
    check(&other).unwrap();
    run(world.node.credential_changed("north", "ada", &by())).unwrap();
    assert_eq!(kind(check(&other)), ErrorKind::Refused);
    let last = login(&world);
    check(&last).unwrap();
    run(world.node.end_everything(&by())).unwrap();
    assert_eq!(kind(check(&last)), ErrorKind::Refused);
}

#[test]
fn a_node_keeps_as_many_as_it_may_at_400_bytes_each_at_most() {
    let world = World::new();
    world.refresh_node();
    for number in 0..3_000 {
        let subject = format!("0192f7c2-5b1e-7c3a-9d4e-{number:012}");
        let login = Login::new("clinic-north", &subject)
            .roles(["doctor", "head-of-ward"])
            .teams(["ward-3"])
            .amr(["pwd", "otp"])
            .acr("urn:example:mfa")
            .device(bartizan_sessions::Device::named("Firefox on Linux").at("2001:db8::1"));
        let (_, cookie) = run(world.sessions.login(&login, &by())).unwrap();
        run(world.node.check(cookie.as_raw(), RECENT)).unwrap();
    }
    let (sessions, bytes) = world.node.kept();
    assert!((900..=1_000).contains(&sessions), "{sessions}");
    // With 16 bytes of the allocator for each of the two pieces that a session has.
    let each = bytes / sessions + 32;
    assert!(each <= 400, "{each} bytes");
}
