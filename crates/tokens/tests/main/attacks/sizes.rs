//! Rows 18 and 19: floods, and JSON that is huge, deep or no JSON.

use allocation_counter::measure;
use bartizan_core::RawToken;
use bartizan_tokens::{Algorithm, ErrorKind, Limits};
use serde_json::json;

use crate::support::{ALGORITHMS, Forge, encode, good_claims, refused, verify};

#[test]
fn row_18_floods_of_dots_and_letters_cost_nothing() {
    let forge = Forge::new(Algorithm::EdDsa);
    let verifier = forge.verifier();
    for (flood, kind) in [
        (".".repeat(10_000_000), ErrorKind::TooLarge),
        ("A".repeat(10_000_000), ErrorKind::TooLarge),
        ("\0".repeat(10_000_000), ErrorKind::TooLarge),
        (".".repeat(8_192), ErrorKind::Malformed),
        ("A".repeat(8_192), ErrorKind::Malformed),
        (format!("{}.e30.AA", "A".repeat(2_000)), ErrorKind::Malformed),
        (format!("{}.AA", ".".repeat(4_000)), ErrorKind::Malformed),
        (format!("e30..{}", "A".repeat(8_000)), ErrorKind::Algorithm),
    ] {
        let mut verdict = None;
        let used = measure(|| verdict = verifier.verify(RawToken::new(&flood)).err());
        assert_eq!(verdict.unwrap().kind(), kind);
        assert!(
            used.bytes_total < 4_096 && used.count_total < 8,
            "{} bytes of {}",
            used.bytes_total,
            flood.len()
        );
    }
}

#[test]
fn row_18_a_forged_token_costs_no_allocation() {
    for forge in ALGORITHMS.map(Forge::new) {
        let (verifier, good) = (forge.verifier(), forge.good());
        let forged = good.replacen(&encode(good_claims())[..20], &encode("{\"iss\":\"https:/")[..20], 1);
        assert_ne!(forged, good);
        assert!(verify(&verifier, &good).is_ok());
        let mut verdict = None;
        let used = measure(|| verdict = verifier.verify(RawToken::new(&forged)).err());
        assert_eq!(
            (verdict.unwrap().kind(), used.count_total),
            (ErrorKind::Signature, 0),
            "{:?}",
            forge.algorithm
        );
    }
}

#[test]
fn row_19_asvs_1_5_3_what_is_no_json_text_is_malformed() {
    for forge in ALGORITHMS.map(Forge::new) {
        let verifier = forge.verifier();
        let good = good_claims();
        let (header, payload) = (forge.header(), encode(&good));
        for bad in [
            String::new(),
            " ".into(),
            "null".into(),
            "[]".into(),
            "7".into(),
            "\"x\"".into(),
            format!("\u{feff}{good}"),
            format!("{good}{good}"),
            format!("{good}x"),
            format!("{good},"),
            good.replace('"', "'"),
            good[1..].to_owned(),
            good[..good.len() - 1].to_owned(),
            good.replace("\"ada\"", r#""\ud800""#),
            good.replace("\"ada\"", r#""\udc00\ud800""#),
            good.replace("\"ada\"", "\"a\nda\""),
            good.replace("\"ada\"", r#""\x41""#),
            good.replace("\"ada\"", "ada"),
            format!("/* */{good}"),
            good.replace("}", ",}"),
        ] {
            assert_eq!(refused(&verifier, &forge.claiming(&bad)), ErrorKind::Malformed, "{bad}");
        }
        for bad in [
            format!("\u{feff}{header}"),
            format!("{header}{header}"),
            String::new(),
            "null".into(),
            "[]".into(),
            header.replace("k1", r"\ud800"),
        ] {
            assert_eq!(refused(&verifier, &forge.token(&bad, &good)), ErrorKind::Malformed, "{bad}");
        }
        let not_utf8 = [&good.as_bytes()[..good.len() - 1], b",\"x\":\"\xff\"}"].concat();
        assert_eq!(
            refused(&verifier, &forge.encoded(&encode(&header), &encode(not_utf8))),
            ErrorKind::Malformed
        );
        assert_eq!(
            refused(&verifier, &forge.encoded(&encode(b"{\"alg\":\"\xc3\"}"), &payload)),
            ErrorKind::Malformed
        );
        // White space of JSON is JSON.
        assert!(verify(&verifier, &forge.claiming(&format!(" \n\t{good}\r\n"))).is_ok());
    }
}

#[test]
fn row_19_json_beyond_its_limits_is_refused() {
    let forge = Forge::new(Algorithm::Hs256);
    let verifier = forge.verifier();
    let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
    assert!(verify(&verifier, &forge.with_raw("own", &deep(15))).is_ok());
    assert_eq!(refused(&verifier, &forge.with_raw("own", &deep(16))), ErrorKind::TooLarge);
    assert_eq!(refused(&verifier, &forge.with_raw("own", &deep(2_000))), ErrorKind::TooLarge);
    assert_eq!(refused(&verifier, &forge.with_raw("own", &deep(100_000))), ErrorKind::TooLarge);
    let objects = |n: usize| format!("{}1{}", r#"{"a":"#.repeat(n), "}".repeat(n));
    assert_eq!(refused(&verifier, &forge.with_raw("own", &objects(800))), ErrorKind::TooLarge);

    let number = |n: usize| "1".repeat(n);
    assert!(verify(&verifier, &forge.with_raw("own", &number(300))).is_ok());
    assert!(verify(&verifier, &forge.with_raw("own", &number(4_000))).is_err());
    assert_eq!(refused(&verifier, &forge.with_raw("own", &number(1_000_000))), ErrorKind::TooLarge);

    let members =
        |n: usize| format!("{{{}}}", (0..n).map(|i| format!("\"{i}\":1")).collect::<Vec<_>>().join(","));
    assert!(verify(&verifier, &forge.with_raw("own", &members(400))).is_ok());
    assert_eq!(refused(&verifier, &forge.with_raw("own", &members(600))), ErrorKind::TooLarge);
    assert_eq!(refused(&verifier, &forge.with_raw("own", &members(1_000_000))), ErrorKind::TooLarge);
    assert_eq!(refused(&verifier, &forge.with("own", json!("x".repeat(6_000)))), ErrorKind::TooLarge);

    let header = forge.header_and(&format!(r#""x":{}"#, deep(600)));
    assert_eq!(refused(&verifier, &forge.token(&header, &good_claims())), ErrorKind::TooLarge);
    let header = forge.header_and(&format!(r#""x":{}"#, members(40)));
    assert_eq!(refused(&verifier, &forge.token(&header, &good_claims())), ErrorKind::TooLarge);
}

#[test]
fn row_19_names_that_collide_when_hashed_cost_no_more_than_others() {
    // Nothing is hashed; the most members that the limits allow are compared pairwise, after the signature.
    let forge = Forge::new(Algorithm::Hs256);
    let most = Limits::DEFAULT.values - claims_count();
    let members = (0..most).map(|i| format!("\"{i:04}\":1")).collect::<Vec<_>>().join(",");
    let good = good_claims();
    let verdict =
        verify(&forge.verifier(), &forge.claiming(&format!("{},{members}}}", &good[..good.len() - 1])));
    assert!(verdict.is_ok());
    let one_more = format!("{},{members},\"x\":1}}", &good[..good.len() - 1]);
    assert_eq!(refused(&forge.verifier(), &forge.claiming(&one_more)), ErrorKind::TooLarge);
}

/// Members and list entries of the good claims.
fn claims_count() -> usize {
    crate::support::claims().len() + 1
}

#[test]
fn limits_that_are_no_limits_are_refused() {
    let forge = Forge::new(Algorithm::Hs256);
    for change in [
        |limits: &mut Limits| limits.token = 64 * 1024 + 1,
        |limits: &mut Limits| limits.token = usize::MAX,
        |limits: &mut Limits| limits.depth = 65,
        |limits: &mut Limits| limits.header = 0,
        |limits: &mut Limits| limits.values = 0,
        |limits: &mut Limits| limits.audiences = 257,
        |limits: &mut Limits| limits.kid = 513,
        |limits: &mut Limits| limits.claims = 0,
    ] {
        let mut limits = Limits::DEFAULT;
        change(&mut limits);
        assert_eq!(forge.verifier().limits(limits).unwrap_err().kind(), ErrorKind::Config);
        let token = forge.good();
        let verdict = bartizan_tokens::jws::verify(&forge.keys(), RawToken::new(&token), &limits);
        assert_eq!(verdict.unwrap_err().kind(), ErrorKind::Config);
    }
    let mut wide = Limits::DEFAULT;
    (wide.token, wide.claims) = (64 * 1024, 40 * 1024);
    let long = forge.with("own", json!("x".repeat(30_000)));
    assert!(verify(&forge.verifier().limits(wide).unwrap(), &long).is_ok());
    assert_eq!(refused(&forge.verifier(), &long), ErrorKind::TooLarge);
}
