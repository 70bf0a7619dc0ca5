//! Refresh tokens: tokens.md row 29, races and replays; lifetimes; what access tokens say.

use std::{sync::Arc, time::Duration};

use bartizan_core::{Principal, RawToken, UnixTime};
use bartizan_crypto_ring::Ring;
use bartizan_sessions::{
    ErrorKind, Exchange, Kind, Policy, Proof, RefreshToken, Refusal, Sessions, WhenFull,
};
use bartizan_testkit::{ManualClock, SeededEntropy};
use bartizan_tokens::{Algorithm, Issuer, KeySet, SigningKey, Verified, Verifier};

use crate::world::{API, ISSUER, START, World, ada, by, kind, run};

const DAY: u64 = 86_400;

fn begin(world: &World) -> RefreshToken {
    run(world.sessions.begin(&ada(), &by())).unwrap().1
}

fn rotate(sessions: &Sessions, token: &RefreshToken) -> Result<RefreshToken, bartizan_sessions::Error> {
    run(sessions.rotate(token.as_raw(), &by())).map(|rotated| rotated.token)
}

/// How many of these tokens are worth something. It uses up what it finds.
fn living(world: &World, tokens: &[RefreshToken]) -> usize {
    tokens.iter().filter(|token| rotate(&world.sessions, token).is_ok()).count()
}

#[test]
fn a_token_is_exchanged_for_another_of_the_same_session() {
    let world = World::new();
    let (session, first) = run(world.sessions.begin(&ada(), &by())).unwrap();
    assert_eq!((session.kind, session.generation, &*session.subject), (Kind::Refresh, 0, "ada"));
    world.pass(900);
    let next = run(world.sessions.rotate(first.as_raw(), &by())).unwrap();
    assert_eq!((next.session.id, next.session.generation, next.is_replay), (session.id, 1, false));
    assert_eq!(next.session.facts, session.facts);
    assert_ne!(next.token.expose(), first.expose());
    // The selector stays, as the row is found by it; the secret has nothing of the one before.
    assert_eq!(next.token.expose()[..26], first.expose()[..26]);
    assert_ne!(next.token.expose()[27..], first.expose()[27..]);
    assert!(rotate(&world.node, &next.token).is_ok(), "on another node");
}

#[test]
fn row_29_of_concurrent_rotations_of_one_token_one_leaf_lives_at_most() {
    for (crowd, policy) in [2, 3, 8, 16, 64].into_iter().flat_map(|crowd| {
        [(crowd, Policy::guide()), (crowd, Policy::guide().danger_grace(Duration::from_secs(10)))]
    }) {
        let has_window = policy != Policy::guide();
        let world = World::with(policy);
        let token = begin(&world);
        let answers: Vec<_> = std::thread::scope(|scope| {
            let works = (0..crowd).map(|at| if at % 2 == 0 { &world.sessions } else { &world.node });
            let threads: Vec<_> = works.map(|node| scope.spawn(|| rotate(node, &token))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let children: Vec<RefreshToken> = answers.into_iter().filter_map(Result::ok).collect();
        if has_window {
            assert_eq!(children.len(), crowd, "all get the child");
            assert!(children.iter().all(|child| child.expose() == children[0].expose()), "the same child");
            assert_eq!(living(&world, &children[..1]), 1);
        } else {
            assert_eq!(children.len(), 1, "one gets the child");
            assert_eq!(living(&world, &children), 0, "and the reuse ended it");
        }
    }
}

#[test]
fn row_29_asvs_10_4_5_a_token_that_was_exchanged_ends_the_session_whoever_shows_it() {
    // The thief is first, or the owner is.
    for _ in ["thief", "owner"] {
        let world = World::new();
        let stolen = begin(&world);
        let next = rotate(&world.sessions, &stolen).unwrap();
        let error = rotate(&world.node, &stolen).unwrap_err();
        assert_eq!((error.kind(), error.refusal()), (ErrorKind::Refused, Some(Refusal::Reused)));
        let error = rotate(&world.sessions, &next).unwrap_err();
        assert_eq!((error.kind(), error.refusal()), (ErrorKind::Refused, Some(Refusal::Ended)));
        assert_eq!(world.happened(), ["begun", "renewed", "reused"]);
        assert!(run(world.sessions.list("north", "ada")).unwrap().is_empty());
    }
}

#[test]
fn row_29_a_replay_older_than_the_previous_token_ends_the_session_even_in_a_window() {
    let world = World::with(Policy::guide().danger_grace(Duration::from_secs(30)));
    let first = begin(&world);
    let second = rotate(&world.sessions, &first).unwrap();
    let third = rotate(&world.sessions, &second).unwrap();
    assert_eq!(rotate(&world.sessions, &first).unwrap_err().refusal(), Some(Refusal::Reused));
    assert_eq!(living(&world, &[second, third]), 0);
}

#[test]
fn row_29_a_replay_inside_the_window_gets_the_same_child_and_after_it_ends_the_session() {
    let world = World::with(Policy::guide().danger_grace(Duration::from_secs(10)));
    let first = begin(&world);
    let child = rotate(&world.sessions, &first).unwrap();
    world.pass(10);
    let again = run(world.node.rotate(first.as_raw(), &by())).unwrap();
    assert!(again.is_replay && again.token.expose() == child.expose());
    assert_eq!(again.session.generation, 1);
    // One leaf lives: the child goes on, and so does the replay, as they are one.
    let next = rotate(&world.sessions, &again.token).unwrap();
    let once_more = rotate(&world.sessions, &child).unwrap();
    assert_eq!(next.expose(), once_more.expose());
    world.pass(11);
    assert_eq!(rotate(&world.sessions, &child).unwrap_err().refusal(), Some(Refusal::Reused));
    assert_eq!(living(&world, &[next]), 0);
}

#[test]
fn row_29_a_confirmed_child_closes_the_window() {
    let world = World::with(Policy::guide().danger_grace(Duration::from_secs(30)));
    let first = begin(&world);
    let rotated = run(world.sessions.rotate(first.as_raw(), &by())).unwrap();
    run(world.sessions.confirm(rotated.session.id, rotated.session.generation)).unwrap();
    assert_eq!(rotate(&world.sessions, &first).unwrap_err().refusal(), Some(Refusal::Reused));
}

#[test]
fn row_29_after_logout_and_after_a_password_change_no_token_of_before_is_worth_anything() {
    let world = World::new();
    let token = begin(&world);
    run(world.sessions.logout(token.as_raw(), &by())).unwrap();
    assert_eq!(rotate(&world.sessions, &token).unwrap_err().refusal(), Some(Refusal::Ended));
    let token = begin(&world);
    run(world.sessions.credential_changed("north", "ada", &by())).unwrap();
    assert_eq!(rotate(&world.sessions, &token).unwrap_err().refusal(), Some(Refusal::Ended));
    let token = begin(&world);
    assert!(rotate(&world.sessions, &token).is_ok(), "and one of after it is");
}

#[test]
fn row_29_a_logout_with_an_old_token_ends_the_session_too() {
    let world = World::new();
    let old = begin(&world);
    let new = rotate(&world.sessions, &old).unwrap();
    run(world.sessions.logout(old.as_raw(), &by())).unwrap();
    assert_eq!(living(&world, &[new]), 0);
    assert_eq!(world.happened(), ["begun", "renewed", "ended"]);
    // What is none, is no error: its session is over.
    run(world.sessions.logout(RawToken::new("bzr1_nothing"), &by())).unwrap();
}

#[test]
fn row_29_clocks_of_two_nodes_that_are_apart_lengthen_nothing() {
    let world = World::new();
    let token = begin(&world);
    // This node is an hour behind; its rotation neither shortens the session nor moves its end.
    world.clock.set_wall(START.saturating_sub(Duration::from_secs(3_600)));
    let behind = run(world.sessions.rotate(token.as_raw(), &by())).unwrap();
    assert_eq!(behind.session.expires, START.saturating_add(Duration::from_secs(30 * DAY)));
    assert_eq!(behind.session.idle_expires, START.saturating_add(Duration::from_secs(7 * DAY)));
}

#[test]
fn asvs_7_3_1_a_session_ends_after_7_days_without_use_and_lives_on_by_use() {
    let world = World::new();
    let mut token = begin(&world);
    for _ in 0..3 {
        world.pass(7 * DAY - 1);
        token = rotate(&world.sessions, &token).unwrap();
    }
    world.pass(7 * DAY);
    let error = rotate(&world.sessions, &token).unwrap_err();
    assert_eq!((error.kind(), error.refusal()), (ErrorKind::Refused, Some(Refusal::Expired)));
}

#[test]
fn asvs_7_3_2_asvs_10_4_8_a_session_ends_after_30_days_whatever_its_use() {
    let world = World::new();
    let mut token = begin(&world);
    for _ in 0..29 {
        world.pass(DAY);
        token = rotate(&world.sessions, &token).unwrap();
    }
    world.pass(DAY - 1);
    token = rotate(&world.sessions, &token).unwrap();
    world.pass(1);
    assert_eq!(rotate(&world.sessions, &token).unwrap_err().refusal(), Some(Refusal::Expired));
    let strict = World::with(Policy::aal2());
    let token = begin(&strict);
    strict.pass(3_600);
    assert_eq!(rotate(&strict.sessions, &token).unwrap_err().refusal(), Some(Refusal::Expired));
}

#[test]
fn a_bound_token_needs_what_it_is_bound_to() {
    let world = World::new();
    let (_, token) = run(world.sessions.begin(&ada().bound_to(b"thumbprint"), &by())).unwrap();
    for shown in [None, Some(b"another key".as_slice())] {
        let mut exchange = Exchange::of(token.as_raw());
        if let Some(shown) = shown {
            exchange = exchange.bound_to(shown);
        }
        let error = run(world.sessions.rotate(exchange, &by())).unwrap_err();
        assert_eq!((error.kind(), error.refusal()), (ErrorKind::Refused, Some(Refusal::Unbound)));
    }
    assert!(run(world.sessions.rotate(Exchange::of(token.as_raw()).bound_to(b"thumbprint"), &by())).is_ok());
}

#[test]
fn the_number_of_sessions_is_bounded_as_the_policy_says() {
    let refusing = World::with(Policy::guide().at_most(2, WhenFull::Refuse));
    let tokens = [begin(&refusing), begin(&refusing)];
    assert_eq!(kind(run(refusing.sessions.begin(&ada(), &by()))), ErrorKind::TooMany);
    assert_eq!(living(&refusing, &tokens), 2);

    let rolling = World::with(Policy::guide().at_most(2, WhenFull::EndOldest));
    let tokens = (0..3).map(|_| {
        rolling.pass(1);
        begin(&rolling)
    });
    let tokens: Vec<_> = tokens.collect();
    assert_eq!(rotate(&rolling.sessions, &tokens[0]).unwrap_err().refusal(), Some(Refusal::Ended));
    assert_eq!(living(&rolling, &tokens[1..]), 2);
}

#[test]
fn policies_that_contradict_themselves_are_refused() {
    let hours = |hours: u64| Duration::from_secs(hours * 3_600);
    for policy in [
        Policy::guide().idle(hours(25)).absolute(hours(24)),
        Policy::guide().access(hours(2)),
        Policy::guide().access(Duration::ZERO),
        Policy::guide().access(Duration::from_millis(1_500)),
        Policy::guide().absolute(hours(24 * 401)),
        Policy::guide().danger_grace(Duration::from_secs(31)),
        Policy::guide().at_most(0, WhenFull::EndOldest),
        Policy::guide().store_timeout(Duration::ZERO),
        Policy::guide().idle(Duration::ZERO),
    ] {
        let world = World::new();
        let (clock, entropy) = (Arc::new(ManualClock::at(START)), Arc::new(SeededEntropy::new(1)));
        let made = Sessions::new(ISSUER, world.store, Arc::new(Ring::new()), entropy, clock, policy.clone());
        assert_eq!(kind(made), ErrorKind::Config, "{policy:?}");
    }
}

/// The access token of a session, verified.
fn verified(world: &World, session: &bartizan_sessions::Session) -> Verified {
    let key = SigningKey::generate(&Ring::new(), Algorithm::EdDsa, None, &SeededEntropy::new(3)).unwrap();
    let keys = KeySet::new([key.verifying()]).unwrap();
    let issuer = Issuer::new(ISSUER, key, world.clock.clone(), Arc::new(SeededEntropy::new(4))).unwrap();
    let token = issuer.issue(&world.sessions.access_token(session, API).unwrap()).unwrap();
    let verifier = Verifier::access_tokens(ISSUER, API, keys, world.clock.clone()).unwrap();
    verifier.verify(RawToken::new(token.expose())).unwrap()
}

#[test]
fn an_access_token_says_what_the_session_knows_and_never_outlives_it() {
    let world = World::new();
    let (session, token) = run(world.sessions.begin(&ada(), &by())).unwrap();
    let principal: Principal = verified(&world, &session).principal().unwrap();
    assert_eq!((principal.tenant(), principal.subject()), ("north", "ada"));
    assert_eq!(principal.session(), Some(&*session.id.to_string()));
    assert_eq!((principal.acr(), principal.authenticated()), (Some("one"), Some(START)));
    assert!(principal.roles().contains("doctor") && principal.teams().contains("ward 3"));
    assert!(principal.amr().contains("pwd"));
    assert_eq!(principal.expires(), Some(START.saturating_add(Duration::from_secs(900))));

    world.pass(7 * DAY - 60);
    let late = verified(&world, &session);
    assert_eq!(
        late.expires(),
        START.saturating_add(Duration::from_secs(7 * DAY)),
        "60 s are left, and no 15 min"
    );
    let token = rotate(&world.sessions, &token);
    assert!(token.is_ok());
    world.pass(60);
    assert_eq!(kind(world.sessions.access_token(&session, API)), ErrorKind::Refused);
}

#[test]
fn whoever_proves_more_has_it_in_the_next_token() {
    let world = World::new();
    let token = begin(&world);
    world.pass(600);
    let proof = Proof::new().acr("two").amr(["pwd", "otp"]);
    let rotated = run(world.sessions.rotate(Exchange::of(token.as_raw()).proving(proof), &by())).unwrap();
    let principal = verified(&world, &rotated.session).principal().unwrap();
    assert_eq!(principal.acr(), Some("two"));
    assert!(principal.amr().contains("otp") && principal.roles().contains("doctor"));
    assert_eq!(principal.authenticated(), Some(START.saturating_add(Duration::from_secs(600))));
    // And stays for the tokens after it.
    let next = run(world.sessions.rotate(rotated.token.as_raw(), &by())).unwrap();
    assert_eq!(next.session.facts, rotated.session.facts);
    assert!(
        next.session
            .was_proved_within(Duration::from_secs(60), START.saturating_add(Duration::from_secs(660)))
    );
    assert!(
        !next
            .session
            .was_proved_within(Duration::from_secs(60), START.saturating_add(Duration::from_secs(661)))
    );
    assert!(next.session.was_proved_by(&["three", "two"]) && !next.session.was_proved_by(&["one"]));
    // A proof that lies ahead would be young for ever.
    let ahead = |seconds: u64| START.saturating_add(Duration::from_secs(600 - seconds));
    assert!(next.session.was_proved_within(Duration::from_secs(60), ahead(60)));
    assert!(!next.session.was_proved_within(Duration::from_secs(60), ahead(61)));
}

#[test]
fn a_login_that_no_principal_can_be_made_of_begins_nothing() {
    let world = World::new();
    let many: Vec<String> = (0..65).map(|n| format!("r{n}")).collect();
    let long = "x".repeat(256);
    for login in [
        ada().roles(many.iter().map(String::as_str)),
        ada().roles(["a\nb"]),
        ada().acr(""),
        ada().client(&*long),
        ada().amr((0..17).map(|n| format!("m{n}"))),
        ada().device(bartizan_sessions::Device::named("a\u{202e}b")),
        ada().roles((0..64).map(|n| format!("{n}{}", "x".repeat(200)))),
        bartizan_sessions::Login::new("", "ada"),
        bartizan_sessions::Login::new("north", &long),
    ] {
        assert_eq!(kind(run(world.sessions.begin(&login, &by()))), ErrorKind::Limits);
    }
    assert_eq!(world.store.calls(), 0);
    let earlier = ada().authenticated_at(UnixTime::from_secs(1_600_000_000));
    let (session, _) = run(world.sessions.begin(&earlier, &by())).unwrap();
    assert_eq!(session.facts.auth_time, Some(1_600_000_000));
}
