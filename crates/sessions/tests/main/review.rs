//! Holes that a review looked for: each test is named for what would be wrong.

use std::{future::Future, sync::Arc, time::Duration};

use bartizan_core::{RawToken, UnixTime};
use bartizan_crypto_ring::Ring;
use bartizan_sessions::{
    By, Courier, Digest, ErrorKind, Freshness, MemoryStore, NewKey, Policy, RevocationSnapshot,
    RevocationStore, Rotate, Rotation, SessionStore, Sessions,
};
use bartizan_testkit::SeededEntropy;
use bartizan_tokens::{AccessToken, Algorithm, Issuer, KeySet, SigningKey, TokenId, Verified, Verifier};

use crate::world::{API, ISSUER, START, World, ada, by, kind, run};

const RECENT: Freshness = Freshness::Snapshot(Duration::from_secs(1));

/// Another version of the service, or another instance, with the same store and clock.
fn beside(world: &World, policy: Policy) -> Sessions {
    let entropy = Arc::new(SeededEntropy::new(11));
    Sessions::new(ISSUER, world.store.clone(), world.provider.clone(), entropy, world.clock.clone(), policy)
        .unwrap()
}

fn snapshot(world: &World) -> RevocationSnapshot {
    RevocationSnapshot::new(ISSUER, &SeededEntropy::new(12), world.clock.clone()).unwrap()
}

/// What a verified token of ours is asked by.
fn asked<'a>(
    verified: &'a Verified,
    jti: Option<&'a str>,
    sid: Option<&'a str>,
    issued_at: UnixTime,
) -> TokenId<'a> {
    let mut id = verified.id();
    (id.jti, id.session, id.issued_at) = (jti, sid, issued_at);
    id
}

/// A token of Ada's.
fn verified(world: &World) -> Verified {
    let key = SigningKey::generate(&Ring::new(), Algorithm::EdDsa, None, &SeededEntropy::new(3)).unwrap();
    let keys = KeySet::new([key.verifying()]).unwrap();
    let issuer = Issuer::new(ISSUER, key, world.clock.clone(), Arc::new(SeededEntropy::new(4))).unwrap();
    let token = issuer.issue(&AccessToken::new("ada", API, "web").tenant("north")).unwrap();
    let verifier = Verifier::access_tokens(ISSUER, API, keys, world.clock.clone()).unwrap();
    verifier.verify(RawToken::new(token.expose())).unwrap()
}

#[test]
fn an_end_is_remembered_for_as_long_as_tokens_of_another_instance_live() {
    // Tokens of an hour were given out; then the policy is changed, or another instance has another one.
    let world = World::with(Policy::guide().access(Duration::from_secs(3_600)));
    let verified = verified(&world);
    let (session, _) = run(world.sessions.begin(&ada(), &by())).unwrap();
    let sid = session.id.to_string();
    let brief = beside(&world, Policy::guide().access(Duration::from_secs(60)));
    run(brief.end("north", "ada", session.id.key, bartizan_sessions::Ended::Revoked, &by())).unwrap();
    world.refresh_node();
    world.pass(3_599);
    run(brief.purge()).unwrap();
    world.refresh_node();
    let token = asked(&verified, None, Some(&sid), START);
    assert!(run(world.node.is_revoked(&token, RECENT)).unwrap(), "it is forgotten while a token lives");
    let started = snapshot(&world);
    run(started.refresh(&*world.store)).unwrap();
    assert!(started.is_revoked(&token, Duration::ZERO).unwrap(), "a node that starts does not hear of it");
}

#[test]
fn an_end_is_remembered_where_the_issuer_is_ahead_and_the_verifier_lenient() {
    let world = World::with(Policy::guide().access(Duration::from_secs(3_600)));
    let verified = verified(&world);
    let (session, _) = run(world.sessions.begin(&ada(), &by())).unwrap();
    let sid = session.id.to_string();
    // A node that is four minutes ahead issues a token, and then the session ends here.
    let issued_at = START.saturating_add(Duration::from_secs(240));
    run(world.sessions.end("north", "ada", session.id.key, bartizan_sessions::Ended::Revoked, &by()))
        .unwrap();
    world.refresh_node();
    // A verifier with the largest leeway believes it until 3,600 + 300 s after its own time of issue.
    world.pass(240 + 3_600 + 299);
    run(world.sessions.purge()).unwrap();
    let started = snapshot(&world);
    run(started.refresh(&*world.store)).unwrap();
    assert!(started.is_revoked(&asked(&verified, None, Some(&sid), issued_at), Duration::ZERO).unwrap());
}

#[test]
fn a_key_of_one_prefix_is_no_key_of_another() {
    let world = World::new();
    let (test, live) =
        (world.sessions.api_keys("clinic_test").unwrap(), world.sessions.api_keys("clinic_live").unwrap());
    let (_, key) = run(test.make(&NewKey::new("north", "ada", "trial"), &by())).unwrap();
    let forged = key.expose().replace("clinic_test_", "clinic_live_");
    assert_eq!(kind(run(live.check(RawToken::new(&forged)))), ErrorKind::Refused);
    assert!(run(test.check(key.as_raw())).is_ok());
}

#[test]
fn api_keys_do_not_begin_as_other_credentials_do() {
    let world = World::new();
    for taken in ["bzr1", "bzc1", "bzo1"] {
        assert_eq!(kind(world.sessions.api_keys(taken)), ErrorKind::Config, "{taken}");
    }
}

#[test]
fn who_proved_the_old_password_before_it_was_changed_does_not_get_in_after() {
    let world = World::new();
    let before = run(world.sessions.epochs("north", "ada")).unwrap();
    // Here the old password is verified, which takes its time; meanwhile Ada changes it.
    run(world.sessions.credential_changed("north", "ada", &by())).unwrap();
    assert_eq!(kind(run(world.sessions.begin(&ada().since(before), &by()))), ErrorKind::Refused);
    assert_eq!(kind(run(world.sessions.login(&ada().since(before), &by()))), ErrorKind::Refused);
    assert!(run(world.sessions.list("north", "ada")).unwrap().is_empty(), "a session is left over");
    let now = run(world.sessions.epochs("north", "ada")).unwrap();
    assert!(run(world.sessions.begin(&ada().since(now), &by())).is_ok());
    // Everybody's, as well.
    run(world.sessions.end_everything(&by())).unwrap();
    assert_eq!(kind(run(world.sessions.begin(&ada().since(now), &by()))), ErrorKind::Refused);
}

#[test]
fn a_snapshot_reads_on_when_its_store_has_lost_the_end_of_its_feed() {
    let world = World::new();
    let revoke = |store: &MemoryStore, jti: &str| {
        let until = START.saturating_add(Duration::from_secs(3_600));
        run(store.revoke_token(jti, "north", "ada", START, until, &bartizan_sessions::Note::default()))
            .unwrap();
    };
    let (primary, promoted) = (MemoryStore::new(), MemoryStore::new());
    let snapshot = snapshot(&world);
    for jti in ["a", "b", "c"] {
        revoke(&primary, jti);
    }
    revoke(&promoted, "a");
    run(snapshot.refresh(&primary)).unwrap();
    // The standby takes over, or a backup is restored: what it did not have is gone, and its positions are given again.
    run(snapshot.refresh(&promoted)).unwrap();
    revoke(&promoted, "d");
    run(snapshot.refresh(&promoted)).unwrap();
    let (verified, later) = (verified(&world), START.saturating_add(Duration::from_secs(1)));
    let token = asked(&verified, Some("d"), None, later);
    assert!(
        snapshot.is_revoked(&token, Duration::ZERO).unwrap(),
        "what is revoked after a failover is overheard"
    );
    let kept = asked(&verified, Some("c"), None, later);
    assert!(snapshot.is_revoked(&kept, Duration::ZERO).unwrap(), "what was known is not unlearned");
}

#[test]
fn a_clock_that_was_ahead_for_a_moment_does_not_make_a_snapshot_forget() {
    let world = World::new();
    let until = START.saturating_add(Duration::from_secs(3_600));
    let note = bartizan_sessions::Note::default();
    // Enough of them that the sweep of one reading finds some.
    for number in 0..2_000 {
        run(world.store.sound.revoke_token(&format!("t-{number}"), "north", "ada", START, until, &note))
            .unwrap();
    }
    world.refresh_node();
    world.clock.set_wall(START.saturating_add(Duration::from_secs(86_400)));
    for _ in 0..64 {
        world.refresh_node();
    }
    world.clock.set_wall(START);
    world.refresh_node();
    let later = START.saturating_add(Duration::from_secs(1));
    let verified = verified(&world);
    let forgotten = (0..2_000).filter(|number| {
        let jti = format!("t-{number}");
        !world.snapshot.is_revoked(&asked(&verified, Some(&jti), None, later), Duration::ZERO).unwrap()
    });
    assert_eq!(forgotten.count(), 0);
}

#[test]
fn a_snapshot_of_another_issuer_does_not_answer_that_nothing_was_revoked() {
    let world = World::new();
    let other = RevocationSnapshot::new("https://other.example", &SeededEntropy::new(5), world.clock.clone())
        .unwrap();
    let (node, verified) = (world.sessions.keeping(&other, 10), verified(&world));
    let (session, _) = run(world.sessions.begin(&ada(), &by())).unwrap();
    run(world.sessions.end("north", "ada", session.id.key, bartizan_sessions::Ended::Revoked, &by()))
        .unwrap();
    run(other.refresh(&*world.store)).unwrap();
    let sid = session.id.to_string();
    assert!(run(node.is_revoked(&asked(&verified, None, Some(&sid), START), RECENT)).unwrap());
}

#[test]
fn who_uses_a_session_of_a_short_idle_time_all_the_time_is_not_thrown_out() {
    let world = World::with(Policy::guide().idle(Duration::from_secs(90)));
    let (_, cookie) = run(world.sessions.login(&ada(), &by())).unwrap();
    for wait in [59, 32, 59, 32, 59, 32] {
        world.pass(wait);
        run(world.sessions.check(cookie.as_raw(), Freshness::ReadThrough))
            .expect("used half a minute or a minute ago");
    }
}

#[test]
fn debug_shows_no_nonce_that_the_next_secret_follows_from() {
    let world = World::with(Policy::guide().danger_grace(Duration::from_secs(30)));
    let (_, token) = run(world.sessions.begin(&ada(), &by())).unwrap();
    run(world.sessions.rotate(token.as_raw(), &by())).unwrap();
    let rotated = run(world.store.sound.list("north", "ada", START)).unwrap();
    assert_eq!(rotated.len(), 1);
    let nonce = [0xA7; 32];
    let zero = Digest::from_bytes([0; 32]);
    let ask = Rotate {
        selector: zero,
        presented: zero,
        next: zero,
        next_selector: None,
        nonce: Some(nonce),
        grace: Duration::ZERO,
        idle: Duration::ZERO,
        binding: None,
        facts: None,
        now: START,
        remember_until: START,
        note: bartizan_sessions::Note::default(),
    };
    let row = bartizan_sessions::StoredSession {
        session: rotated[0].clone(),
        selector: zero,
        current: zero,
        previous: None,
        nonce: Some(nonce),
        grace_until: START,
        binding: None,
        ended: None,
    };
    let replayed = Rotation::Replayed { session: rotated[0].clone(), nonce };
    for shown in [format!("{ask:?}"), format!("{row:?}"), format!("{replayed:?}")] {
        assert!(!shown.contains("167"), "{shown}");
    }
    let _by: By<'_> = by();
}

#[test]
fn a_login_that_says_it_was_proved_in_the_future_was_proved_now() {
    let world = World::new();
    let ahead = START.saturating_add(Duration::from_secs(86_400));
    let (session, _) = run(world.sessions.begin(&ada().authenticated_at(ahead), &by())).unwrap();
    assert!(session.was_proved_within(Duration::from_secs(300), START));
    assert!(
        !session.was_proved_within(Duration::from_secs(300), START.saturating_add(Duration::from_secs(301)))
    );
}

#[test]
fn replacing_one_key_again_and_again_does_not_give_its_owner_any_number() {
    let world = World::new();
    let keys = world.sessions.api_keys("clinic_live").unwrap();
    let new = NewKey::new("north", "ada", "export");
    let (old, _) = run(keys.make(&new, &by())).unwrap();
    let overlap = Duration::from_secs(86_400);
    let answers: Vec<_> = (0..150).map(|_| run(keys.replace(old.id, overlap, &new, &by()))).collect();
    assert!(answers[..99].iter().all(|answer| matches!(answer, Ok(Some(_)))));
    assert_eq!(answers[149].as_ref().unwrap_err().kind(), ErrorKind::TooMany);
    let living = run(keys.list("north", "ada")).unwrap().iter().filter(|key| key.lives_at(START)).count();
    assert!(living <= 101, "{living}");
    // Who gives up the old one at once may always do so.
    assert!(run(keys.replace(old.id, Duration::ZERO, &new, &by())).unwrap().is_some());
}

#[test]
fn a_courier_that_delivers_nothing_is_noticed() {
    let world = World::new();
    let recorder = Arc::new(bartizan_testkit::MemoryRecorder::default());
    let courier = Courier::new(world.store.clone(), recorder.clone(), world.clock.clone(), "clinic");
    run(world.sessions.begin(&ada(), &by())).unwrap();
    assert_eq!(courier.failures(), 0);
    recorder.refuse();
    for failures in 1..4 {
        run(courier.deliver()).unwrap_err();
        assert_eq!(courier.failures(), failures);
    }
    world.store.take_down();
    run(courier.deliver()).unwrap_err();
    assert_eq!(courier.failures(), 4);
}

#[test]
fn what_was_read_before_an_end_and_arrives_after_it_is_not_believed() {
    type End = fn(&World, bartizan_sessions::SessionKey);
    let ends: [End; 3] = [
        |world, key| {
            run(world.node.end("north", "ada", key, bartizan_sessions::Ended::Revoked, &by())).unwrap();
        },
        |world, _| {
            run(world.node.end_all("north", "ada", &by())).unwrap();
        },
        // On another node, and this one hears of it before the answer arrives.
        |world, key| {
            run(world.sessions.end("north", "ada", key, bartizan_sessions::Ended::Revoked, &by())).unwrap();
            world.refresh_node();
        },
    ];
    for end in ends {
        let world = World::new();
        let (session, cookie) = run(world.sessions.login(&ada(), &by())).unwrap();
        world.refresh_node();
        world.store.delay(true);
        {
            let mut check = std::pin::pin!(world.node.check(cookie.as_raw(), RECENT));
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(check.as_mut().poll(&mut cx).is_pending());
            end(&world, session.id.key);
            world.store.delay(false);
            assert!(check.as_mut().poll(&mut cx).is_ready());
        }
        assert_eq!(kind(run(world.node.check(cookie.as_raw(), RECENT))), ErrorKind::Refused);
    }
}
