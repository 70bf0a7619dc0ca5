//! Sessions of browsers: http.md section 4, fixation, replay and zombies; ASVS chapter 7.

use std::time::Duration;

use bartizan_core::{Attestation, RawToken};
use bartizan_sessions::{
    CookieToken, Device, Ended, ErrorKind, Freshness, Kind, Login, Policy, Proof, Refusal, Session, WhenFull,
};

use crate::world::{ISSUER, START, World, ada, by, kind, run};

const NOW: Freshness = Freshness::ReadThrough;
const RECENT: Freshness = Freshness::Snapshot(Duration::from_secs(30));
const DAY: u64 = 86_400;

fn login(world: &World) -> (Session, CookieToken) {
    run(world.sessions.login(&ada(), &by())).unwrap()
}

fn is_in(world: &World, cookie: &CookieToken) -> bool {
    match run(world.sessions.check(cookie.as_raw(), NOW)) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Refused);
            false
        }
    }
}

#[test]
fn asvs_7_2_1_what_a_cookie_says_is_known_to_the_server_alone() {
    let world = World::new();
    let (session, cookie) = login(&world);
    assert_eq!(session.kind, Kind::Cookie);
    let who = run(world.sessions.check(cookie.as_raw(), NOW)).unwrap();
    assert_eq!((who.id(), who.expires()), (session.id, session.expires));
    let who = who.into_principal();
    assert_eq!((who.tenant(), who.subject(), who.how()), ("north", "ada", Attestation::Session));
    assert_eq!((who.acr(), who.authenticated(), who.issuer()), (Some("one"), Some(START), Some(ISSUER)));
    assert!(who.roles().contains("doctor") && who.teams().contains("ward 3") && who.amr().contains("pwd"));
    assert_eq!((who.session(), who.expires()), (Some(&*session.id.to_string()), Some(session.expires)));
    // Every character of it counts.
    for at in 0..cookie.expose().len() {
        let mut text = cookie.expose().to_owned().into_bytes();
        text[at] = if text[at] == b'A' { b'B' } else { b'A' };
        let text = String::from_utf8(text).unwrap();
        assert_eq!(kind(run(world.sessions.check(RawToken::new(&text), NOW))), ErrorKind::Refused, "{at}");
    }
}

#[test]
fn asvs_7_2_2_each_login_makes_a_session_of_its_own() {
    let world = World::new();
    let cookies: Vec<_> = (0..20).map(|_| login(&world).1).collect();
    let mut texts: Vec<&str> = cookies.iter().map(CookieToken::expose).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), 20);
    assert_eq!(run(world.sessions.list("north", "ada")).unwrap().len(), 20);
}

#[test]
fn fixation_a_cookie_of_before_the_login_is_worth_nothing_after_it() {
    let world = World::new();
    // Mallory put a cookie of hers into Ada's browser.
    let mallory = run(world.sessions.login(&Login::new("north", "mallory"), &by())).unwrap().1;
    let before = ada().instead_of(Some(mallory.as_raw()));
    let (_, cookie) = run(world.sessions.login(&before, &by())).unwrap();
    assert_ne!(cookie.expose(), mallory.expose());
    assert!(!is_in(&world, &mallory) && is_in(&world, &cookie));
    assert!(run(world.sessions.list("north", "mallory")).unwrap().is_empty());
    // A text that an attacker made up becomes no session's.
    let made_up = RawToken::new("bzc1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let (_, cookie) = run(world.sessions.login(&ada().instead_of(Some(made_up)), &by())).unwrap();
    assert!(run(world.sessions.check(made_up, NOW)).is_err() && is_in(&world, &cookie));
}

#[test]
fn nobody_ends_a_session_by_its_selector_alone() {
    let world = World::new();
    let (_, victim) = login(&world);
    let half = format!("{}{}", &victim.expose()[..30], "A".repeat(39));
    let mallory = Login::new("north", "mallory").instead_of(Some(RawToken::new(&half)));
    run(world.sessions.login(&mallory, &by())).unwrap();
    assert!(is_in(&world, &victim));
}

#[test]
fn asvs_7_2_4_privileges_change_the_cookie_and_the_old_one_is_dead() {
    let world = World::new();
    let (session, old) = login(&world);
    world.pass(600);
    let proof = Proof::new().acr("two").amr(["pwd", "otp"]).roles(["doctor", "admin"]);
    let (elevated, new) = run(world.sessions.elevate(old.as_raw(), &proof, &by())).unwrap();
    assert_eq!((elevated.id, elevated.generation), (session.id, 1));
    // Selector and secret: nothing of the old text is left.
    assert_ne!(new.expose()[5..26], old.expose()[5..26]);
    assert!(!is_in(&world, &old));
    let who = run(world.sessions.check(new.as_raw(), NOW)).unwrap().into_principal();
    assert!(who.roles().contains("admin") && who.amr().contains("otp") && who.acr() == Some("two"));
    assert_eq!(who.authenticated(), Some(START.saturating_add(Duration::from_secs(600))));
    assert_eq!(kind(run(world.sessions.elevate(old.as_raw(), &proof, &by()))), ErrorKind::Refused);
    let bad = Proof::new().roles(["a\nb"]);
    assert_eq!(kind(run(world.sessions.elevate(new.as_raw(), &bad, &by()))), ErrorKind::Limits);
    assert!(is_in(&world, &new));
}

#[test]
fn of_two_elevations_at_once_one_cookie_lives() {
    let world = World::new();
    for _ in 0..20 {
        let (_, old) = login(&world);
        let elevate = |node: &bartizan_sessions::Sessions| {
            run(node.elevate(old.as_raw(), &Proof::new().acr("two"), &by())).map(|(_, cookie)| cookie)
        };
        let answers = std::thread::scope(|scope| {
            let one = scope.spawn(|| elevate(&world.sessions));
            let two = scope.spawn(|| elevate(&world.node));
            [one.join().unwrap(), two.join().unwrap()]
        });
        let new: Vec<_> = answers.into_iter().flatten().collect();
        assert!(new.len() == 1 && is_in(&world, &new[0]) && !is_in(&world, &old));
    }
}

#[test]
fn asvs_7_3_1_an_idle_cookie_dies_and_a_used_one_lives_to_the_end() {
    let world = World::new();
    let (_, idle) = login(&world);
    let (session, used) = login(&world);
    for _ in 0..29 {
        world.pass(DAY);
        assert!(is_in(&world, &used));
    }
    assert!(!is_in(&world, &idle));
    world.pass(DAY - 1);
    assert!(is_in(&world, &used));
    world.pass(1);
    assert_eq!(session.expires, START.saturating_add(Duration::from_secs(30 * DAY)));
    let error = run(world.sessions.check(used.as_raw(), NOW)).unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::Expired), "asvs_7_3_2: the absolute end");
}

#[test]
fn a_use_is_noted_once_a_minute() {
    let world = World::new();
    let (_, cookie) = login(&world);
    let calls = || {
        let before = world.store.calls();
        assert!(is_in(&world, &cookie));
        world.store.calls() - before
    };
    assert_eq!(calls(), 1);
    world.pass(59);
    assert_eq!(calls(), 1);
    world.pass(1);
    assert_eq!(calls(), 2);
    assert_eq!(calls(), 1);
    let listed = run(world.sessions.list("north", "ada")).unwrap();
    assert_eq!(listed[0].seen, START.saturating_add(Duration::from_secs(60)));
    // A store that does not take it now does not throw anybody out; the next request says it again.
    assert_eq!(listed[0].idle_expires, START.saturating_add(Duration::from_secs(60 + 7 * DAY)));
}

#[test]
fn zombie_a_request_that_runs_while_its_session_is_ended_does_not_bring_it_back() {
    let world = World::new();
    for _ in 0..50 {
        let (session, cookie) = login(&world);
        world.pass(61);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _answer = run(world.sessions.check(cookie.as_raw(), NOW));
            });
            scope.spawn(|| {
                let _answer = run(world.node.elevate(cookie.as_raw(), &Proof::new(), &by()));
            });
            scope.spawn(|| {
                run(world.sessions.end("north", "ada", session.id.key, Ended::LoggedOut, &by())).unwrap();
            });
        });
        assert!(!is_in(&world, &cookie));
        assert!(run(world.sessions.list("north", "ada")).unwrap().is_empty());
    }
}

#[test]
fn asvs_7_4_2_disabling_a_user_ends_all_sessions() {
    let world = World::new();
    let (_, cookie) = login(&world);
    let (_, refresh) = run(world.sessions.begin(&ada(), &by())).unwrap();
    assert_eq!(run(world.sessions.end_all("north", "ada", &by())).unwrap(), 2);
    assert!(!is_in(&world, &cookie) && run(world.sessions.rotate(refresh.as_raw(), &by())).is_err());
    assert_eq!(run(world.sessions.end_all("north", "ada", &by())).unwrap(), 0);
}

#[test]
fn asvs_7_4_3_other_sessions_can_be_ended_after_a_factor_changed() {
    let world = World::new();
    let (session, mine) = login(&world);
    let others = [login(&world).1, login(&world).1];
    assert_eq!(run(world.sessions.end_others("north", "ada", session.id.key, &by())).unwrap(), 2);
    assert!(is_in(&world, &mine) && others.iter().all(|other| !is_in(&world, other)));
    // Or all of them, and whoever changed it logs in anew.
    assert_eq!(run(world.sessions.credential_changed("north", "ada", &by())).unwrap(), 1);
    assert!(!is_in(&world, &mine));
}

#[test]
fn asvs_7_4_5_an_administrator_ends_one_users_sessions_or_all() {
    let world = World::new();
    let (session, ada) = login(&world);
    let bob = run(world.sessions.login(&Login::new("north", "bob"), &by())).unwrap().1;
    let carol = run(world.sessions.login(&Login::new("south", "carol"), &by())).unwrap().1;
    assert!(run(world.sessions.end("north", "ada", session.id.key, Ended::Revoked, &by())).unwrap());
    assert!(!run(world.sessions.end("north", "ada", session.id.key, Ended::Revoked, &by())).unwrap());
    assert!(!is_in(&world, &ada) && is_in(&world, &bob) && is_in(&world, &carol));
    run(world.sessions.end_all("north", "bob", &by())).unwrap();
    assert!(!is_in(&world, &bob) && is_in(&world, &carol));
    assert_eq!(run(world.sessions.end_everything(&by())).unwrap(), 1);
    assert!(!is_in(&world, &carol));
    // And not by naming somebody else's.
    let (session, ada) = login(&world);
    assert!(!run(world.sessions.end("north", "bob", session.id.key, Ended::Revoked, &by())).unwrap());
    assert!(is_in(&world, &ada));
}

#[test]
fn asvs_10_4_9_owners_see_their_sessions_by_device_and_end_them() {
    let world = World::with(Policy::guide().at_most(10, WhenFull::EndOldest));
    for name in ["Firefox on Linux", "the app"] {
        world.pass(1);
        let login = ada().device(Device::named(name).at("192.0.2.7"));
        run(world.sessions.login(&login, &by())).unwrap();
        run(world.sessions.begin(&login, &by())).unwrap();
    }
    let listed = run(world.sessions.list("north", "ada")).unwrap();
    let names: Vec<_> = listed.iter().filter_map(|session| session.facts.device.name.as_deref()).collect();
    assert_eq!((names.len(), names[0], names[3]), (4, "the app", "Firefox on Linux"));
    let refresh = listed.iter().find(|session| session.kind == Kind::Refresh).unwrap();
    assert!(run(world.sessions.end("north", "ada", refresh.id.key, Ended::Revoked, &by())).unwrap());
    assert_eq!(run(world.sessions.list("north", "ada")).unwrap().len(), 3);
}

#[test]
fn replay_a_cookie_of_after_the_logout_is_dead_on_this_node_at_once_and_on_others_in_time() {
    let world = World::new();
    let (_, cookie) = login(&world);
    let node = |freshness| run(world.node.check(cookie.as_raw(), freshness)).map_err(|error| error.kind());
    world.refresh_node();
    assert!(node(RECENT).is_ok());
    run(world.sessions.logout(cookie.as_raw(), &by())).unwrap();
    assert!(node(RECENT).is_ok(), "the other node has not heard of it, and the route accepts that");
    assert_eq!(node(NOW).unwrap_err(), ErrorKind::Refused);
    world.refresh_node();
    assert_eq!(node(RECENT).unwrap_err(), ErrorKind::Refused);

    let (_, cookie) = login(&world);
    let node = |freshness| run(world.node.check(cookie.as_raw(), freshness)).map_err(|error| error.kind());
    assert!(node(RECENT).is_ok());
    run(world.node.logout(cookie.as_raw(), &by())).unwrap();
    assert_eq!(node(RECENT).unwrap_err(), ErrorKind::Refused, "at once on the node that ended it");
}

#[test]
fn a_cookie_is_bound_to_nothing() {
    let world = World::new();
    assert_eq!(kind(run(world.sessions.login(&ada().bound_to(b"key"), &by()))), ErrorKind::Limits);
}
