//! Keys that an issuer publishes: row 28 of the attacks (what a hostile or a broken issuer may do), and the outages.

#[path = "remote/issuer.rs"]
mod issuer;

use std::{sync::mpsc, thread, time::Duration};

use bartizan_core::{Fault, RawToken, UnixTime};
use bartizan_tokens::{ErrorKind, FetchError, FetchErrorKind, KeyRules, RefreshError, SkipReason, Start};
use issuer::{
    Answer, Task, World, body, failure, first, jwks, key, naming, not_modified, second, tagged, token,
};
use serde_json::{Value, json};

use crate::support::{KID, NOW};

const HOUR: u64 = 3_600;

fn good() -> Answer {
    body(jwks(&[&first()]), HOUR)
}

fn outage() -> Answer {
    failure(FetchErrorKind::Status(500))
}

#[test]
fn before_the_first_answer_is_an_outage_and_no_refusal() {
    let mut world = World::new([good()]);
    let error = world.verifier.verify(RawToken::new(&token(&first()))).unwrap_err();
    assert_eq!((error.kind(), error.fault()), (ErrorKind::KeysUnavailable, Fault::Backend));
    assert!(error.is_transient());
    world.driver.turn();
    assert_eq!(world.judge(&token(&first())), None);
    assert_eq!(world.judge(&token(&second())), Some(ErrorKind::Key));
}

#[test]
fn fail_fast_ends_with_the_first_answer_good_or_bad() {
    let mut world = World::new([good()]);
    world.driver.turn();
    let remote = world.remote.clone();
    assert!(Task::new(async move { remote.ready().await }).turn().unwrap().is_ok());

    for (answer, kind) in [
        (outage(), ErrorKind::KeysUnavailable),
        (body("<html>", HOUR), ErrorKind::KeyFormat),
        (body(r#"{"keys":[]}"#, HOUR), ErrorKind::KeyNone),
    ] {
        let mut world = World::new([answer]);
        let remote = world.remote.clone();
        let mut ready = Task::new(async move { remote.ready().await });
        assert!(ready.turn().is_none(), "before the answer");
        world.driver.turn();
        assert_eq!(ready.turn().unwrap().unwrap_err().kind(), kind);
    }
}

#[test]
fn waiting_ends_with_keys_however_long_that_takes() {
    let mut world = World::with([outage(), outage(), outage(), good()], |builder| builder.start(Start::Wait));
    let remote = world.remote.clone();
    let mut ready = Task::new(async move { remote.ready().await });
    world.pass(1);
    assert!(ready.turn().is_none());
    world.pass(10);
    assert!(ready.turn().unwrap().is_ok());
}

#[test]
fn starting_empty_waits_for_nothing_and_answers_503_until_there_are_keys() {
    let mut world = World::with([outage(), good()], |builder| builder.start(Start::Empty));
    let remote = world.remote.clone();
    assert!(Task::new(async move { remote.ready().await }).turn().unwrap().is_ok());
    world.driver.turn();
    assert_eq!(world.judge(&token(&first())), Some(ErrorKind::KeysUnavailable));
    world.pass(2);
    assert_eq!(world.judge(&token(&first())), None);
}

#[test]
fn whoever_waits_is_told_when_the_driver_is_dropped() {
    let mut world = World::with([Answer::Never], |builder| builder.start(Start::Wait));
    let remote = world.remote.clone();
    let mut ready = Task::new(async move { remote.ready().await });
    world.driver.turn();
    assert!(ready.turn().is_none() && world.is_asking());
    world.driver.cancel();
    assert!(!world.is_asking());
    assert_eq!(ready.turn().unwrap().unwrap_err().kind(), ErrorKind::KeysUnavailable);
    assert!(!world.remote.status().running);
}

#[test]
fn the_set_is_refreshed_ahead_of_its_end_and_no_token_notices() {
    let mut world = World::new([body(jwks(&[&first()]), 100)]);
    for _ in 0..300 {
        world.pass(1);
        assert!(world.believes(&first()));
    }
    let fetches = world.remote.status().fetches;
    assert!((4..=5).contains(&fetches), "{fetches} in 300 s at 75 to 90 s each");
}

#[test]
fn a_new_key_is_known_after_one_cooldown_at_most() {
    let mut world = World::new([good()]);
    world.pass(1);
    world.says(body(jwks(&[&first(), &second()]), HOUR));
    // Within the cooldown: the request is owed, and made when it is over.
    assert_eq!(world.judge(&token(&second())), Some(ErrorKind::Key));
    world.pass(28);
    assert_eq!(world.judge(&token(&second())), Some(ErrorKind::Key));
    world.pass(1);
    assert_eq!(world.judge(&token(&second())), None);
    assert_eq!(world.asked().len(), 2);
    // After it: at once.
    world.pass(60);
    let third = key(3, "k3");
    world.says(body(jwks(&[&first(), &second(), &third]), HOUR));
    assert_eq!(world.judge(&token(&third)), Some(ErrorKind::Key));
    world.driver.turn();
    assert_eq!(world.judge(&token(&third)), None);
}

#[test]
fn row_6_and_28_a_hundred_thousand_unknown_kids_cause_at_most_one_request_per_cooldown() {
    let mut world = World::new([good()]);
    world.driver.turn();
    let (kids, seconds) = (100_000_u64, 600);
    for kid in 0..kids {
        assert_eq!(world.judge(&naming(&format!("unknown-{kid}"))), Some(ErrorKind::Key));
        if kid % (kids / seconds) == 0 {
            world.pass(1);
        }
    }
    let fetches = u64::try_from(world.asked().len()).unwrap();
    assert!(fetches > 10 && fetches <= 1 + (seconds + 1) / 30, "{fetches}");
}

#[test]
fn the_same_unknown_kid_again_and_again_is_asked_for_once_in_five_minutes() {
    let mut world = World::new([good()]);
    let mut ask = |seconds| {
        for _ in 0..seconds {
            world.pass(1);
            assert_eq!(world.judge(&naming("gone")), Some(ErrorKind::Key));
        }
        world.asked().len()
    };
    assert_eq!(ask(290), 2);
    assert_eq!(ask(100), 3);
}

#[test]
fn an_unknown_kid_is_asked_for_again_when_the_set_has_changed() {
    let mut world = World::new([good()]);
    world.pass(40);
    assert_eq!(world.judge(&naming("gone")), Some(ErrorKind::Key));
    world.pass(40);
    assert_eq!(world.judge(&naming("gone")), Some(ErrorKind::Key));
    world.pass(1);
    assert_eq!(world.asked().len(), 2);
    world.says(body(jwks(&[&first(), &second()]), HOUR));
    world.remote.refresh();
    world.pass(40);
    assert_eq!(world.asked().len(), 3);
    assert_eq!(world.judge(&naming("gone")), Some(ErrorKind::Key));
    world.pass(1);
    assert_eq!(world.asked().len(), 4);
}

#[test]
fn a_key_that_was_withdrawn_is_gone_with_the_next_answer_and_a_rollback_is_believed() {
    let mut world = World::new([body(jwks(&[&first(), &second()]), 60)]);
    world.pass(1);
    assert!(world.believes(&first()) && world.believes(&second()));
    world.says(body(jwks(&[&second()]), 60));
    world.pass(60);
    assert!(!world.believes(&first()) && world.believes(&second()));
    // An older set is what the issuer says now: nothing in it tells.
    world.says(body(jwks(&[&first()]), 60));
    world.pass(60);
    assert!(world.believes(&first()) && !world.believes(&second()));
    assert_eq!(world.remote.status().changes, 3);
}

#[test]
fn another_key_under_the_same_kid_replaces_the_first() {
    let mut world = World::new([good()]);
    world.pass(40);
    let other = key(9, KID);
    world.says(body(jwks(&[&other]), HOUR));
    assert_eq!(world.judge(&token(&other)), Some(ErrorKind::Signature));
    world.remote.refresh();
    world.driver.turn();
    assert_eq!(world.judge(&token(&other)), None);
    assert_eq!(world.judge(&token(&first())), Some(ErrorKind::Signature));
}

#[test]
fn an_outage_is_not_noticed_until_the_hard_end_and_is_503_from_then_on() {
    let mut world = World::new([good()]);
    world.driver.turn();
    world.says(outage());
    // An hour of freshness and an hour of grace. The clock ran an hour at most since the request.
    world.pass(2 * HOUR - 1);
    assert!(world.believes(&first()));
    world.pass(1);
    assert_eq!(world.judge(&token(&first())), Some(ErrorKind::KeysUnavailable));
    let status = world.remote.status();
    assert_eq!(status.last_error, Some(RefreshError::Fetch(FetchErrorKind::Status(500))));
    assert_eq!(status.good_until, Some(UnixTime::from_secs(NOW + 7_200)));
    assert!(status.failures >= 10 && status.fetches <= 60, "{status:?}");
    // It comes back with the issuer.
    world.says(good());
    world.pass(400);
    assert!(world.believes(&first()));
    assert_eq!(world.remote.status().failures, 0);
}

#[test]
fn keys_end_on_time_when_the_wall_clock_was_set_back() {
    let mut world = World::new([good(), outage()]);
    world.driver.turn();
    world.clock.set_wall(UnixTime::from_secs(NOW - 100_000));
    world.pass(2 * HOUR - 1);
    assert_ne!(world.judge(&token(&first())), Some(ErrorKind::KeysUnavailable));
    world.pass(1);
    assert_eq!(world.judge(&token(&first())), Some(ErrorKind::KeysUnavailable));
}

#[test]
fn a_wall_clock_that_jumps_ahead_is_noticed_within_a_minute() {
    let mut world = World::new([good()]);
    world.pass(60);
    world.clock.set_wall(UnixTime::from_secs(NOW + 1_000_000));
    assert_eq!(world.judge(&token(&first())), Some(ErrorKind::KeysUnavailable));
    world.pass(60);
    assert!(world.believes(&first()));
}

#[test]
fn keys_end_on_time_while_a_request_hangs() {
    // Asked for again after 45 to 54 seconds, and then 265 to 298 seconds later: a request is under way at the hard end, after 360.
    let later = FetchError::new(FetchErrorKind::Status(503)).with_retry_after(Some(Duration::from_secs(265)));
    let script = [body(jwks(&[&first()]), 60), failure(later), Answer::Never];
    let mut world = World::with(script, |builder| {
        let builder =
            builder.cooldown(Duration::from_secs(5)).unwrap().stale_for(Duration::from_secs(300)).unwrap();
        builder.timeout(Duration::from_secs(60)).unwrap()
    });
    world.driver.turn();
    world.clock.set_wall(UnixTime::from_secs(NOW - 100_000));
    world.pass(359);
    assert!(world.is_asking());
    assert_ne!(world.judge(&token(&first())), Some(ErrorKind::KeysUnavailable));
    world.pass(1);
    assert!(world.is_asking());
    assert_eq!(world.judge(&token(&first())), Some(ErrorKind::KeysUnavailable));
}

#[test]
fn a_request_that_hangs_is_given_up_and_makes_no_verifier_wait() {
    let mut world = World::new([good(), Answer::Never]);
    world.pass(40);
    world.remote.refresh();
    world.driver.turn();
    assert!(world.is_asking());
    // On another thread, while the request is under way: it answers, and nobody polls the driver meanwhile.
    let (verifier, token) = (&world.verifier, token(&first()));
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            for _ in 0..1_000 {
                sender.send(verifier.verify(RawToken::new(&token)).is_ok()).unwrap();
                assert!(verifier.verify(RawToken::new(&naming("unknown"))).is_err());
            }
        });
        for _ in 0..1_000 {
            assert!(receiver.recv_timeout(Duration::from_secs(30)).unwrap());
        }
    });
    world.pass(10);
    assert!(!world.is_asking());
    assert_eq!(world.remote.status().last_error, Some(RefreshError::Fetch(FetchErrorKind::Timeout)));
}

#[test]
fn an_issuer_that_flaps_is_asked_once_in_a_cooldown_and_its_keys_stay() {
    let script = (0..2_000).map(|turn| if turn % 2 == 0 { body(jwks(&[&first()]), 0) } else { outage() });
    let mut world = World::new(script);
    for second in 0..1_000 {
        world.pass(1);
        assert_eq!(world.judge(&naming(&format!("k-{second}"))), Some(ErrorKind::Key));
        assert!(world.believes(&first()));
    }
    assert!(world.asked().len() <= 1 + 1_001 / 30, "{}", world.asked().len());
}

#[test]
fn retry_after_is_obeyed() {
    let asked_to_wait =
        FetchError::new(FetchErrorKind::Status(503)).with_retry_after(Some(Duration::from_secs(120)));
    let mut world = World::new([failure(asked_to_wait), good()]);
    world.pass(119);
    assert_eq!(world.asked().len(), 1);
    world.pass(20);
    assert_eq!(world.asked().len(), 2);
}

#[test]
fn the_etag_is_sent_back_and_an_unchanged_set_lives_on() {
    let mut world = World::new([tagged(jwks(&[&first()]), "\"v1\""), not_modified()]);
    world.pass(20 * 60);
    assert!(world.believes(&first()));
    let asked = world.asked();
    assert_eq!(asked.first(), Some(&None));
    assert!(
        asked.len() > 2 && asked.iter().skip(1).all(|etag| etag.as_deref() == Some("\"v1\"")),
        "{asked:?}"
    );
    let status = world.remote.status();
    assert_eq!((status.changes, status.failures), (1, 0));
}

#[test]
fn an_etag_that_cannot_be_sent_back_is_not() {
    for odd in ["v1", "\"a\r\nHost: evil\"", "\"a\" \"b\"", "\"ö\"", &format!("\"{}\"", "a".repeat(300))] {
        let mut world = World::new([tagged(jwks(&[&first()]), odd)]);
        world.pass(120);
        assert!(world.asked().len() > 1 && world.asked().iter().all(Option::is_none), "{odd}");
    }
}

#[test]
fn not_modified_where_nothing_was_to_compare_is_an_error() {
    let mut world = World::new([not_modified()]);
    world.driver.turn();
    assert_eq!(world.remote.status().last_error, Some(RefreshError::Fetch(FetchErrorKind::Protocol)));
    assert_eq!(world.judge(&token(&first())), Some(ErrorKind::KeysUnavailable));
}

#[test]
fn keys_that_had_ended_come_back_with_a_304() {
    let mut world = World::with([tagged(jwks(&[&first()]), "\"v1\""), outage()], |builder| {
        builder.stale_for(Duration::from_secs(300)).unwrap()
    });
    world.pass(400);
    assert_eq!(world.judge(&token(&first())), Some(ErrorKind::KeysUnavailable));
    world.says(not_modified());
    world.pass(600);
    assert!(world.believes(&first()));
}

#[test]
fn row_28_a_set_that_is_refused_whole_changes_nothing() {
    let set = jwks(&[&first()]);
    let with = |change: &dyn Fn(&mut Value)| {
        let mut set: Value = serde_json::from_str(&set).unwrap();
        change(&mut set);
        set.to_string()
    };
    let many: Vec<_> = (0..65).map(|n| key(1, &format!("n{n}"))).map(|key| key.verifying()).collect();
    let many = many
        .iter()
        .map(|key| serde_json::from_str::<Value>(&key.to_public_jwk().unwrap()).unwrap())
        .collect::<Vec<_>>();
    let hundred_thousand = format!(r#"{{"keys":[{}{{}}]}}"#, "{},".repeat(100_000));
    let cases: Vec<(&str, String, ErrorKind)> = vec![
        ("private", with(&|set| set["keys"][0]["d"] = json!("AQ")), ErrorKind::KeySecrecy),
        (
            "symmetric beside it",
            with(&|set| set["keys"].as_array_mut().unwrap().push(json!({"kty":"oct","k":"AQ","kid":"x"}))),
            ErrorKind::KeySecrecy,
        ),
        ("empty", r#"{"keys":[]}"#.into(), ErrorKind::KeyNone),
        ("none of ours", r#"{"keys":[{"kty":"new"}]}"#.into(), ErrorKind::KeyNone),
        ("html", "<!doctype html><title>Sign in</title>".into(), ErrorKind::KeyFormat),
        ("nothing", String::new(), ErrorKind::KeyFormat),
        ("another shape", r#"{"jwks":[]}"#.into(), ErrorKind::KeyFormat),
        ("a list", "[]".into(), ErrorKind::KeyFormat),
        ("cut off", set[..set.len() - 2].into(), ErrorKind::KeyFormat),
        (
            "two of one kid",
            with(&|set| {
                let twin = set["keys"][0].clone();
                set["keys"].as_array_mut().unwrap().push(twin);
            }),
            ErrorKind::KeyDuplicate,
        ),
        ("65 keys", json!({ "keys": many }).to_string(), ErrorKind::KeyTooLarge),
        ("100,000 keys", hundred_thousand, ErrorKind::KeyTooLarge),
        ("257 KiB", format!("{}{set}", " ".repeat(257 * 1024)), ErrorKind::KeyTooLarge),
    ];
    for (name, set, kind) in cases {
        let mut world = World::new([good()]);
        world.pass(40);
        world.says(body(set, HOUR));
        world.remote.refresh();
        world.driver.turn();
        let status = world.remote.status();
        assert_eq!(status.last_error, Some(RefreshError::Keys(kind)), "{name}");
        assert_eq!((status.failures, status.keys), (1, 1), "{name}");
        assert!(world.believes(&first()), "{name}");
        // And ends when it would have ended: nothing was renewed.
        world.pass(2 * HOUR);
        assert_eq!(world.judge(&token(&first())), Some(ErrorKind::KeysUnavailable), "{name}");
    }
}

#[test]
fn a_key_that_is_not_ours_is_left_out_with_its_reason() {
    let mut set: Value = serde_json::from_str(&jwks(&[&first()])).unwrap();
    set["keys"].as_array_mut().unwrap().push(json!({"kty":"AKP","alg":"ML-DSA-44","kid":"pq","pub":"AA"}));
    let mut world = World::new([body(set.to_string(), HOUR)]);
    world.driver.turn();
    assert!(world.believes(&first()));
    let status = world.remote.status();
    assert_eq!((status.keys, status.skipped.len()), (1, 1));
    assert_eq!((status.skipped[0].index, status.skipped[0].reason), (1, SkipReason::Unsupported));
}

#[test]
fn rules_for_keys_are_those_of_this_issuer() {
    // RFC 7515 §A.2.
    let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR\
             T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-\
             UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethF\
             kMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    let set =
        json!({"keys":[{"kty":"RSA","alg":"RS256","use":"sig","kid":"g","e":"AQAB","n":n}]}).to_string();
    let mut strict = World::new([body(set.clone(), HOUR)]);
    strict.driver.turn();
    assert_eq!(strict.remote.status().last_error, Some(RefreshError::Keys(ErrorKind::KeyNone)));
    let mut opted_in = World::with([body(set, HOUR)], |builder| {
        builder.key_rules(KeyRules::strict().danger_rsa_pkcs1()).unwrap()
    });
    opted_in.driver.turn();
    assert_eq!(opted_in.remote.status().keys, 1);
}

#[test]
fn the_driver_ends_with_the_last_reader_idle_or_asking() {
    for script in [good(), Answer::Never] {
        let mut world = World::new([script]);
        world.driver.turn();
        let World { issuer, remote, verifier, mut driver, .. } = world;
        drop(remote);
        driver.turn();
        assert!(!driver.is_over(), "a verifier still reads");
        drop(verifier);
        driver.turn();
        assert!(driver.is_over());
        assert_eq!(std::sync::Arc::strong_count(&issuer), 1, "nothing holds on to the transport");
    }
}

#[test]
fn settings_out_of_bounds_are_refused() {
    let check = |rules: fn(bartizan_tokens::RemoteJwksBuilder) -> bool| {
        let mut fits = false;
        World::with([good()], |builder| {
            fits = rules(builder.clone());
            builder
        });
        fits
    };
    const SECOND: Duration = Duration::from_secs(1);
    assert!(check(|builder| builder.cooldown(5 * SECOND).is_ok()));
    assert!(!check(|builder| builder.cooldown(4 * SECOND).is_ok()));
    assert!(!check(|builder| builder.cooldown(Duration::ZERO).is_ok()));
    assert!(!check(|builder| builder.cooldown(301 * SECOND).is_ok()));
    assert!(!check(|builder| builder.stale_for(299 * SECOND).is_ok()));
    assert!(!check(|builder| builder.stale_for(86_401 * SECOND).is_ok()));
    assert!(!check(|builder| builder.default_ttl(59 * SECOND).is_ok()));
    assert!(!check(|builder| builder.timeout(61 * SECOND).is_ok()));
}
