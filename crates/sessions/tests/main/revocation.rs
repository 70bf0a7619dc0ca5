//! tokens.md row 31: what was revoked is dead at once, on every node as soon as it says, and an outage is no grant.

use std::{sync::Arc, time::Duration};

use bartizan_core::{RawToken, UnixTime};
use bartizan_crypto_ring::Ring;
use bartizan_sessions::{ErrorKind, Freshness, Session, SessionId};
use bartizan_testkit::SeededEntropy;
use bartizan_tokens::{AccessToken, Algorithm, Issuer, KeySet, SigningKey, Verified, Verifier};

use crate::world::{API, ISSUER, START, World, ada, by, kind, run};

const SECOND: Freshness = Freshness::Snapshot(Duration::from_secs(1));

struct Tokens {
    issuer: Issuer,
    verifier: Verifier,
    keys: KeySet,
}

impl Tokens {
    fn new(world: &World, name: &str) -> Self {
        let key = SigningKey::generate(&Ring::new(), Algorithm::EdDsa, None, &SeededEntropy::new(3)).unwrap();
        let keys = KeySet::new([key.verifying()]).unwrap();
        let issuer = Issuer::new(name, key, world.clock.clone(), Arc::new(SeededEntropy::new(4))).unwrap();
        let verifier = Verifier::access_tokens(name, API, keys.clone(), world.clock.clone()).unwrap();
        Self { issuer, verifier, keys }
    }

    fn of(&self, world: &World, session: &Session) -> Verified {
        self.issue(&world.sessions.access_token(session, API).unwrap())
    }

    /// One without a session, as a service may issue.
    fn without_session(&self, subject: &str) -> Verified {
        self.issue(&AccessToken::new(subject, API, "web").tenant("north"))
    }

    fn issue(&self, token: &AccessToken<'_>) -> Verified {
        let token = self.issuer.issue(token).unwrap();
        self.verifier.verify(RawToken::new(token.expose())).unwrap()
    }
}

fn begin(world: &World) -> Session {
    run(world.sessions.begin(&ada(), &by())).unwrap().0
}

fn is_revoked(world: &World, token: &Verified, freshness: Freshness) -> bool {
    run(world.node.is_revoked(&token.id(), freshness)).unwrap()
}

#[test]
fn row_31_a_revoked_token_is_dead_before_its_end_and_its_session_is_not() {
    let world = World::new();
    let tokens = Tokens::new(&world, ISSUER);
    let session = begin(&world);
    let (one, other) = (tokens.of(&world, &session), tokens.of(&world, &session));
    world.refresh_node();
    assert!(!is_revoked(&world, &one, SECOND));
    assert!(run(world.sessions.revoke_token(&one.id(), one.expires(), &by())).unwrap());
    assert!(is_revoked(&world, &one, Freshness::ReadThrough));
    assert!(!is_revoked(&world, &other, Freshness::ReadThrough));
    assert!(!is_revoked(&world, &one, SECOND), "another node has not heard of it");
    world.refresh_node();
    assert!(is_revoked(&world, &one, SECOND) && !is_revoked(&world, &other, SECOND));
    // On the node that revoked it, at once.
    assert!(run(world.node.revoke_token(&other.id(), other.expires(), &by())).unwrap());
    assert!(is_revoked(&world, &other, SECOND));
    // For as long as a verifier with the largest leeway believes it.
    world.pass(900 + 299);
    run(world.sessions.purge()).unwrap();
    world.refresh_node();
    assert!(is_revoked(&world, &one, SECOND) && is_revoked(&world, &one, Freshness::ReadThrough));
}

#[test]
fn row_31_a_session_that_ended_takes_its_access_tokens_along() {
    let world = World::new();
    let tokens = Tokens::new(&world, ISSUER);
    let sessions = [begin(&world), begin(&world), begin(&world)];
    let issued: Vec<_> = sessions.iter().map(|session| tokens.of(&world, session)).collect();
    world.refresh_node();
    run(world.sessions.end("north", "ada", sessions[0].id.key, bartizan_sessions::Ended::LoggedOut, &by()))
        .unwrap();
    assert!(!is_revoked(&world, &issued[0], SECOND), "not heard of yet");
    world.refresh_node();
    for freshness in [SECOND, Freshness::ReadThrough] {
        let dead: Vec<_> = issued.iter().map(|token| is_revoked(&world, token, freshness)).collect();
        assert_eq!(dead, [true, false, false]);
    }
    run(world.node.end_others("north", "ada", sessions[2].id.key, &by())).unwrap();
    for freshness in [SECOND, Freshness::ReadThrough] {
        let dead: Vec<_> = issued.iter().map(|token| is_revoked(&world, token, freshness)).collect();
        assert_eq!(dead, [true, true, false], "at once on the node that ended them");
    }
}

#[test]
fn row_31_a_token_minted_in_the_second_of_a_logout_everywhere_is_dead_and_a_login_after_it_lives() {
    let world = World::new();
    let tokens = Tokens::new(&world, ISSUER);
    let (with, without) = (tokens.of(&world, &begin(&world)), tokens.without_session("ada"));
    let bob = tokens.without_session("bob");
    world.clock.advance(Duration::from_millis(300));
    run(world.node.end_all("north", "ada", &by())).unwrap();
    world.clock.advance(Duration::from_millis(300));
    // In the same second: of the new epoch, so that it lives; without a session nothing tells it apart, so that it dies.
    let (after, unlucky) = (tokens.of(&world, &begin(&world)), tokens.without_session("ada"));
    world.clock.advance(Duration::from_millis(500));
    let next = tokens.without_session("ada");
    world.refresh_node();
    for freshness in [SECOND, Freshness::ReadThrough] {
        assert!(is_revoked(&world, &with, freshness) && is_revoked(&world, &without, freshness));
        assert!(is_revoked(&world, &unlucky, freshness), "iat == cutoff dies");
        assert!(!is_revoked(&world, &after, freshness) && !is_revoked(&world, &next, freshness));
        assert!(!is_revoked(&world, &bob, freshness));
    }
    run(world.node.end_everything(&by())).unwrap();
    for freshness in [SECOND, Freshness::ReadThrough] {
        assert!(is_revoked(&world, &after, freshness) && is_revoked(&world, &bob, freshness));
    }
}

#[test]
fn row_31_asvs_7_4_1_a_session_that_begins_while_all_are_ended_is_dead_or_of_the_new_epoch() {
    let world = World::new();
    for _ in 0..50 {
        let (begun, ()) = std::thread::scope(|scope| {
            let begun = scope.spawn(|| run(world.sessions.begin(&ada(), &by())).unwrap());
            let ended = scope.spawn(|| {
                run(world.node.end_all("north", "ada", &by())).unwrap();
            });
            (begun.join().unwrap(), ended.join().unwrap())
        });
        let now = run(world.sessions.epochs("north", "ada")).unwrap();
        let lives = run(world.sessions.rotate(begun.1.as_raw(), &by())).is_ok();
        assert_eq!(lives, begun.0.id.epochs == now);
    }
}

#[test]
fn row_31_a_store_that_is_down_is_an_outage_and_never_a_grant() {
    let world = World::new();
    let tokens = Tokens::new(&world, ISSUER);
    let token = tokens.of(&world, &begin(&world));
    let asked = |freshness| run(world.node.is_revoked(&token.id(), freshness));
    // Nothing was read yet: nothing is known.
    assert_eq!(kind(asked(SECOND)), ErrorKind::Unavailable);
    world.refresh_node();
    assert!(!asked(SECOND).unwrap());
    world.store.take_down();
    assert_eq!(kind(asked(Freshness::ReadThrough)), ErrorKind::Unavailable);
    assert!(!asked(SECOND).unwrap(), "for as long as the route says");
    world.pass(1);
    assert!(!asked(SECOND).unwrap());
    assert!(run(world.snapshot.refresh(&*world.store)).is_err());
    world.clock.advance(Duration::from_millis(1));
    let error = asked(SECOND).unwrap_err();
    assert_eq!(
        (error.kind(), error.fault(), error.is_transient()),
        (ErrorKind::Unavailable, bartizan_core::Fault::Backend, true)
    );
    // Time of day may be set back; the age does not follow it.
    world.clock.set_wall(START);
    assert_eq!(kind(asked(SECOND)), ErrorKind::Unavailable);
    world.store.open();
    world.refresh_node();
    assert!(!asked(SECOND).unwrap(), "and it recovers without a restart");
}

#[test]
fn row_31_a_verifier_answers_an_old_snapshot_with_an_outage() {
    let world = World::new();
    let tokens = Tokens::new(&world, ISSUER);
    let session = begin(&world);
    let text = tokens.issuer.issue(&world.sessions.access_token(&session, API).unwrap()).unwrap();
    let verifier = Verifier::access_tokens(ISSUER, API, tokens.keys.clone(), world.clock.clone())
        .unwrap()
        .revocations(Arc::new(world.snapshot.within(Duration::from_secs(5))));
    let verify = || verifier.verify(RawToken::new(text.expose())).map(drop).map_err(|error| error.kind());
    assert_eq!(verify(), Err(bartizan_tokens::ErrorKind::RevocationsUnavailable));
    world.refresh_node();
    assert_eq!(verify(), Ok(()));
    run(world.node.end_all("north", "ada", &by())).unwrap();
    assert_eq!(verify(), Err(bartizan_tokens::ErrorKind::Revoked));
    world.pass(6);
    assert_eq!(verify(), Err(bartizan_tokens::ErrorKind::RevocationsUnavailable));
}

#[test]
fn tokens_of_other_issuers_are_not_ours_to_know() {
    let world = World::new();
    let elsewhere = Tokens::new(&world, "https://other.example");
    let session = begin(&world);
    run(world.sessions.end_all("north", "ada", &by())).unwrap();
    let theirs = elsewhere.of(&world, &session);
    for freshness in [SECOND, Freshness::ReadThrough] {
        assert!(!is_revoked(&world, &theirs, freshness));
    }
}

#[test]
fn a_name_of_a_session_is_read_in_one_spelling_alone() {
    let world = World::new();
    let id = begin(&world).id;
    let text = id.to_string();
    assert_eq!((text.len(), SessionId::parse(&text).unwrap()), (SessionId::LEN, id));
    for bad in ["", &text[1..], &format!("{text}A"), &text.replace(&text[..1], "+"), &"=".repeat(32)] {
        assert!(SessionId::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_subject_of_another_tenant_is_another_subject() {
    let world = World::new();
    let tokens = Tokens::new(&world, ISSUER);
    let ours = tokens.without_session("ada");
    run(world.node.end_all("south", "ada", &by())).unwrap();
    run(world.node.end_all("northa", "da", &by())).unwrap();
    for freshness in [SECOND, Freshness::ReadThrough] {
        assert!(!is_revoked(&world, &ours, freshness));
    }
    assert_eq!(ours.issued_at(), UnixTime::from_secs(START.as_secs()));
}
