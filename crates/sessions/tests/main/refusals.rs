//! tokens.md row 30: nothing is learned from trying credentials, and a copy of the store opens nothing.

use std::time::Duration;

use bartizan_core::RawToken;
use bartizan_sessions::{
    CookieToken, Digest, ErrorKind, Freshness, NewKey, Outbox, Policy, Purpose, RefreshToken, Refusal,
    SessionStore,
};

use crate::world::{World, ada, by, run};

const MALFORMED: [&str; 12] = [
    "",
    "bzr1_",
    "bzr1",
    "bzc1_",
    "eyJhbGciOiJub25lIn0.e30.",
    "bzr1_!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "bzr1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "bzr1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "bzr2_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "BZR1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "bzr1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "bzr1_\u{e9}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
];

/// The refresh token of a session that came to each kind of end, with why it is refused.
fn refused(world: &World) -> Vec<(RefreshToken, Refusal)> {
    let begin = || run(world.sessions.begin(&ada(), &by())).unwrap().1;
    let expired = begin();
    world.pass(8 * 86_400);
    let (_, bound) = run(world.sessions.begin(&ada().bound_to(b"key"), &by())).unwrap();
    let ended = begin();
    run(world.sessions.logout(ended.as_raw(), &by())).unwrap();
    let reused = begin();
    run(world.sessions.rotate(reused.as_raw(), &by())).unwrap();
    vec![
        (expired, Refusal::Expired),
        (bound, Refusal::Unbound),
        (ended, Refusal::Ended),
        (reused, Refusal::Reused),
    ]
}

#[test]
fn row_30_all_refusals_of_a_refresh_token_look_alike_and_cost_the_same() {
    for policy in [Policy::guide(), Policy::guide().danger_grace(Duration::from_secs(10))] {
        let has_window = policy != Policy::guide();
        let world = World::with(policy);
        let mut costs = Vec::new();
        let mut measure = |token: RawToken<'_>, why: Refusal| {
            let (calls, hashes) = (world.store.calls(), world.provider.hashes());
            let error = run(world.sessions.rotate(token, &by())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused);
            assert_eq!(error.refusal(), Some(why));
            assert_eq!((error.to_string(), format!("{error:?}")), {
                let plain = bartizan_sessions::Error::from(ErrorKind::Refused);
                (plain.to_string(), format!("{plain:?}"))
            });
            assert_eq!(error, ErrorKind::Refused.into());
            costs.push((world.store.calls() - calls, world.provider.hashes() - hashes));
        };
        for (token, why) in refused(&world) {
            if has_window && why == Refusal::Reused {
                world.pass(11);
            }
            measure(token.as_raw(), why);
        }
        measure(RawToken::new(&format!("bzr1_{}", "B".repeat(64))), Refusal::Unknown);
        for text in MALFORMED {
            measure(RawToken::new(text), Refusal::Malformed);
        }
        measure(RawToken::new(&"bzr1_".repeat(100_000)), Refusal::Malformed);
        // Selector, secret, and the child that would follow; with a window that is derived.
        let derived = if has_window { 1_000_000 } else { 0 };
        assert!(costs[0].1 > 3_000 + derived && costs[0].1 < 4_000 + derived, "{costs:?}");
        assert!(costs.iter().all(|cost| *cost == costs[0] && cost.0 == 1), "{costs:?}");
    }
}

#[test]
fn row_30_all_refusals_of_a_cookie_look_alike_and_cost_the_same() {
    let world = World::new();
    let login = || run(world.sessions.login(&ada(), &by())).unwrap().1;
    let expired = login();
    world.pass(8 * 86_400);
    let ended = login();
    run(world.sessions.logout(ended.as_raw(), &by())).unwrap();
    let living = login();
    let wrong = format!("{}{}", &living.expose()[..60], "AAAAAAAAA");
    let unknown = format!("bzc1_{}", "B".repeat(64));
    let mut costs = Vec::new();
    for (text, why) in [
        (expired.expose(), Refusal::Expired),
        (ended.expose(), Refusal::Unknown),
        (&*wrong, Refusal::Wrong),
        (&*unknown, Refusal::Unknown),
        (MALFORMED[3], Refusal::Malformed),
        (MALFORMED[8], Refusal::Malformed),
    ] {
        let (calls, hashes) = (world.store.calls(), world.provider.hashes());
        let error = run(world.sessions.check(RawToken::new(text), Freshness::ReadThrough)).unwrap_err();
        assert_eq!((error.kind(), error.refusal()), (ErrorKind::Refused, Some(why)));
        costs.push((world.store.calls() - calls, world.provider.hashes() - hashes));
    }
    assert!(costs.iter().all(|cost| *cost == costs[0] && cost.0 == 1), "{costs:?}");
    assert!(
        run(world.sessions.check(living.as_raw(), Freshness::ReadThrough)).is_ok(),
        "a wrong try changes nothing"
    );
}

#[test]
fn row_30_all_refusals_of_api_keys_and_one_time_tokens_look_alike_and_cost_the_same() {
    let world = World::new();
    let keys = world.sessions.api_keys("clinic_live").unwrap();
    let make =
        || run(keys.make(&NewKey::new("north", "ada", "job").lives(Duration::from_secs(60)), &by())).unwrap();
    let expired = make().1;
    world.pass(60);
    let (ended, ended_text) = make();
    run(keys.end("north", "ada", ended.id, &by())).unwrap();
    let living = make().1;
    let wrong = format!("{}{}", &living.expose()[..70], "AAAAAA");
    let unknown = format!("clinic_live_{}", "B".repeat(64));
    let mut costs = Vec::new();
    for (text, why) in [
        (expired.expose(), Refusal::Expired),
        (ended_text.expose(), Refusal::Ended),
        (&*wrong, Refusal::Wrong),
        (&*unknown, Refusal::Unknown),
        (MALFORMED[8], Refusal::Malformed),
        ("clinic_test_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Refusal::Malformed),
    ] {
        let (calls, hashes) = (world.store.calls(), world.provider.hashes());
        let error = run(keys.check(RawToken::new(text))).unwrap_err();
        assert_eq!((error.kind(), error.refusal()), (ErrorKind::Refused, Some(why)));
        costs.push((world.store.calls() - calls, world.provider.hashes() - hashes));
    }
    assert!(costs.iter().all(|cost| *cost == costs[0] && cost.0 == 1), "{costs:?}");

    let once = world.sessions.one_time();
    let used = run(once.make(Purpose::PASSWORD_RESET, "north", "ada", "", &by())).unwrap();
    run(once.take(used.as_raw(), Purpose::PASSWORD_RESET, &by())).unwrap();
    let expired = run(once.make(Purpose::PASSWORD_RESET, "north", "ada", "", &by())).unwrap();
    world.pass(3_600);
    let mut costs = Vec::new();
    for text in [used.expose(), expired.expose(), "", "bzo1_", MALFORMED[6]] {
        let (calls, hashes) = (world.store.calls(), world.provider.hashes());
        let error = run(once.take(RawToken::new(text), Purpose::PASSWORD_RESET, &by())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        costs.push((world.store.calls() - calls, world.provider.hashes() - hashes));
    }
    assert!(costs.iter().all(|cost| *cost == costs[0] && cost.0 == 1), "{costs:?}");
}

/// A digest as whoever copied the store would try it.
fn forged(prefix: &str, selector: &Digest, secret: &Digest) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let parts = [&selector.as_bytes()[..16], secret.as_bytes()].concat();
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(parts))
}

#[test]
fn row_30_asvs_7_2_3_a_copy_of_the_store_opens_nothing() {
    let world = World::new();
    let (_, token) = run(world.sessions.begin(&ada(), &by())).unwrap();
    let (_, cookie) = run(world.sessions.login(&ada(), &by())).unwrap();
    // 128 random bits to be found by and 256 to be believed by.
    assert_eq!((token.expose().len(), cookie.expose().len()), (5 + 64, 5 + 64));
    let shown = format!("{:?}", run(world.store.sound.pending(100)).unwrap());
    assert!(!shown.contains(&token.expose()[5..]) && !shown.contains(&cookie.expose()[5..]));
    for (text, prefix) in [(token.expose(), "bzr1_"), (cookie.expose(), "bzc1_")] {
        let row = row_of(&world, text);
        for (selector, secret) in [(&row.0, &row.1), (&row.1, &row.0)] {
            let text = forged(prefix, selector, secret);
            assert!(
                RefreshToken::is_well_formed(RawToken::new(&text))
                    || CookieToken::is_well_formed(RawToken::new(&text))
            );
            let rotated = run(world.sessions.rotate(RawToken::new(&text), &by()));
            assert_eq!(rotated.unwrap_err().kind(), ErrorKind::Refused);
            let checked = run(world.sessions.check(RawToken::new(&text), Freshness::ReadThrough));
            assert_eq!(checked.unwrap_err().kind(), ErrorKind::Refused);
        }
    }
    assert!(run(world.sessions.rotate(token.as_raw(), &by())).is_ok(), "and the tries changed nothing");
}

/// The digests under which a credential's session is stored.
fn row_of(world: &World, text: &str) -> (Digest, Digest) {
    use bartizan_crypto::Provider;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let bytes = URL_SAFE_NO_PAD.decode(&text[5..]).unwrap();
    let label = if text.starts_with("bzr") {
        "bartizan refresh selector 1\0"
    } else {
        "bartizan cookie selector 1\0"
    };
    let selector = Digest::from_bytes(world.provider.hash().sha256(&[
        label.as_bytes(),
        &text.as_bytes()[..5],
        b"\0",
        &bytes[..16],
    ]));
    let row = run(world.store.sound.find(&selector)).unwrap().expect("the row of a living session");
    (row.selector, row.current)
}

#[test]
fn a_credential_of_one_kind_is_none_of_another() {
    let world = World::new();
    let (_, token) = run(world.sessions.begin(&ada(), &by())).unwrap();
    let (_, cookie) = run(world.sessions.login(&ada(), &by())).unwrap();
    let as_cookie = token.expose().replace("bzr1_", "bzc1_");
    let as_token = cookie.expose().replace("bzc1_", "bzr1_");
    for text in [&*as_cookie, token.expose()] {
        assert!(run(world.sessions.check(RawToken::new(text), Freshness::ReadThrough)).is_err());
    }
    for text in [&*as_token, cookie.expose()] {
        assert!(run(world.sessions.rotate(RawToken::new(text), &by())).is_err());
    }
    assert!(run(world.sessions.check(cookie.as_raw(), Freshness::ReadThrough)).is_ok());
    assert!(run(world.sessions.rotate(token.as_raw(), &by())).is_ok());
}
