//! Rows 14 to 17: types, times, other tokens, other audiences.

use std::time::Duration;

use bartizan_core::{RawToken, UnixTime};
use bartizan_tokens::{Algorithm, ErrorKind, Verifier};
use serde_json::{Value, json};

use crate::support::{ALGORITHMS, AUDIENCE, Forge, ISSUER, NOW, claims, clock, good_claims, refused, verify};

#[test]
fn row_14_dates_of_another_type_or_range_are_refused() {
    let forge = Forge::new(Algorithm::EdDsa);
    let verifier = forge.verifier();
    for claim in ["exp", "iat", "nbf", "auth_time"] {
        for value in [
            r#""1700000500""#,
            "true",
            "null",
            "[1700000500]",
            "{}",
            "-1",
            "-0",
            "0.0",
            "1700000500.0",
            "1700000500.5",
            "1.7e9",
            "9007199254740993",
            "18446744073709551615",
            "18446744073709551616",
            "253402300800",
            "-9223372036854775808",
        ] {
            let error = verifier.verify(RawToken::new(&forge.with_raw(claim, value))).unwrap_err();
            assert_eq!((error.kind(), error.claim()), (ErrorKind::ClaimType, Some(claim)), "{value}");
        }
        for value in ["1e400", "NaN", "Infinity", "0x10", "01", "+1", "1.", ""] {
            assert_eq!(
                refused(&verifier, &forge.with_raw(claim, value)),
                ErrorKind::Malformed,
                "{claim} {value}"
            );
        }
    }
}

#[test]
fn row_14_texts_of_another_type_are_refused() {
    let forge = Forge::new(Algorithm::EdDsa);
    let verifier = forge.verifier();
    for claim in ["iss", "sub", "jti", "client_id", "tenant", "sid", "acr"] {
        let too_long = json!("x".repeat(256));
        for value in [
            json!(1),
            json!(null),
            json!(true),
            json!(["x"]),
            json!({"a": 1}),
            json!(""),
            json!("a\nb"),
            too_long,
        ] {
            let error = verifier.verify(RawToken::new(&forge.with(claim, value.clone()))).unwrap_err();
            assert_eq!((error.kind(), error.claim()), (ErrorKind::ClaimType, Some(claim)), "{value}");
        }
    }
    for claim in ["roles", "groups", "amr"] {
        for value in [
            json!("doctor"),
            json!(1),
            json!(null),
            json!({"0": "x"}),
            json!([1]),
            json!([["x"]]),
            json!([""]),
            json!([null]),
        ] {
            let error = verifier.verify(RawToken::new(&forge.with(claim, value.clone()))).unwrap_err();
            assert_eq!((error.kind(), error.claim()), (ErrorKind::ClaimType, Some(claim)), "{value}");
        }
        assert!(verify(&verifier, &forge.with(claim, json!(["x", "y"]))).is_ok());
    }
}

#[test]
fn row_14_an_audience_is_a_text_or_a_few_texts() {
    let forge = Forge::new(Algorithm::EdDsa);
    let verifier = forge.verifier();
    for value in [
        json!(1),
        json!(null),
        json!({"a": AUDIENCE}),
        json!([[AUDIENCE]]),
        json!([AUDIENCE, 1]),
        json!([AUDIENCE, null]),
    ] {
        assert_eq!(refused(&verifier, &forge.with("aud", value.clone())), ErrorKind::ClaimType, "{value}");
    }
    assert_eq!(refused(&verifier, &forge.with("aud", json!([]))), ErrorKind::Audience);
    let many = |n: usize| {
        let mut list = vec![json!("x"); n - 1];
        list.push(json!(AUDIENCE));
        Value::Array(list)
    };
    assert!(verify(&verifier, &forge.with("aud", many(32))).is_ok());
    assert_eq!(refused(&verifier, &forge.with("aud", many(33))), ErrorKind::TooLarge);
    assert_eq!(refused(&verifier, &forge.with("aud", many(100_000))), ErrorKind::TooLarge);
}

#[test]
fn row_14_an_issuer_is_compared_whole() {
    let forge = Forge::new(Algorithm::EdDsa);
    for issuer in [
        "https://login.exampl",
        "https://login.example/",
        "https://login.example.evil",
        "login.example",
        "h",
        "HTTPS://LOGIN.EXAMPLE",
        "https://login.example\u{200b}",
        " https://login.example",
        "https://evil.example?https://login.example",
    ] {
        assert_eq!(
            refused(&forge.verifier(), &forge.with("iss", json!(issuer))),
            ErrorKind::Issuer,
            "{issuer}"
        );
    }
}

/// A verifier with this leeway, whose clock shows so many nanoseconds after [`NOW`].
fn verifier_at(forge: &Forge, leeway: u64, nanos: i64) -> Verifier {
    let clock = clock();
    clock.set_wall(UnixTime::from_nanos(NOW * 1_000_000_000 + nanos));
    let verifier = Verifier::access_tokens(ISSUER, AUDIENCE, forge.keys(), clock).unwrap();
    verifier.leeway(Duration::from_secs(leeway)).unwrap()
}

#[test]
fn row_15_asvs_9_2_1_expired_token_is_refused_at_exact_second() {
    for forge in ALGORITHMS.map(Forge::new) {
        let token = forge.with("exp", json!(NOW));
        for leeway in [0, 30, 300] {
            let end = i64::try_from(leeway).unwrap() * 1_000_000_000;
            assert!(verify(&verifier_at(&forge, leeway, end - 1), &token).is_ok());
            assert_eq!(refused(&verifier_at(&forge, leeway, end), &token), ErrorKind::Expired);
            assert_eq!(refused(&verifier_at(&forge, leeway, end + 1), &token), ErrorKind::Expired);
        }
    }
}

#[test]
fn row_15_asvs_9_2_1_a_token_of_the_future_is_refused() {
    for forge in ALGORITHMS.map(Forge::new) {
        for (claim, leeway) in [("nbf", 0), ("nbf", 30), ("iat", 0), ("iat", 300)] {
            let token = forge.with(claim, json!(NOW + leeway));
            let leeway = u64::try_from(leeway).unwrap();
            assert!(verify(&verifier_at(&forge, leeway, 0), &token).is_ok());
            assert_eq!(refused(&verifier_at(&forge, leeway, -1), &token), ErrorKind::NotYet);
        }
    }
}

#[test]
fn row_15_an_early_nbf_excuses_no_late_iat() {
    let forge = Forge::new(Algorithm::EdDsa);
    let mut late = claims();
    late.insert("nbf".into(), json!(0));
    late.insert("iat".into(), json!(NOW + 1));
    let token = forge.claiming(&Value::Object(late).to_string());
    assert_eq!(refused(&verifier_at(&forge, 0, 0), &token), ErrorKind::NotYet);
    assert!(verify(&verifier_at(&forge, 1, 0), &token).is_ok());
}

#[test]
fn row_15_leeway_has_an_end() {
    let forge = Forge::new(Algorithm::Hs256);
    for leeway in [Duration::from_secs(301), Duration::from_secs(u64::MAX), Duration::MAX] {
        let error = forge.verifier().leeway(leeway).unwrap_err();
        assert_eq!((error.kind(), error.fault()), (ErrorKind::Config, bartizan_core::Fault::Caller));
    }
    // Before the leeway has passed since 1970, or at either end of time, nothing wraps.
    for (now, kind) in [
        (0, ErrorKind::NotYet),
        (10, ErrorKind::NotYet),
        (i64::MAX, ErrorKind::Expired),
        (i64::MIN, ErrorKind::NotYet),
    ] {
        let clock = clock();
        clock.set_wall(UnixTime::from_nanos(now));
        let verifier = Verifier::access_tokens(ISSUER, AUDIENCE, forge.keys(), clock).unwrap();
        assert_eq!(refused(&verifier, &forge.good()), kind, "{now}");
    }
}

#[test]
fn row_15_a_life_is_neither_inverted_nor_long() {
    let forge = Forge::new(Algorithm::EdDsa);
    let verifier = forge.verifier();
    let living = |iat: i64, exp: i64, nbf: Option<i64>| {
        let mut claims = claims();
        claims.insert("iat".into(), json!(iat));
        claims.insert("exp".into(), json!(exp));
        if let Some(nbf) = nbf {
            claims.insert("nbf".into(), json!(nbf));
        }
        verify(&verifier, &forge.claiming(&Value::Object(claims).to_string())).map(|_| ())
    };
    assert_eq!(living(NOW, NOW + 3_600, None), Ok(()));
    assert_eq!(living(NOW, NOW + 3_601, None), Err(ErrorKind::Lifetime));
    assert_eq!(living(NOW, 253_402_300_799, None), Err(ErrorKind::Lifetime));
    assert_eq!(living(0, 253_402_300_799, None), Err(ErrorKind::Lifetime));
    assert_eq!(living(NOW, NOW, None), Err(ErrorKind::Lifetime));
    assert_eq!(living(NOW + 10, NOW + 5, None), Err(ErrorKind::Lifetime));
    assert_eq!(living(NOW, NOW + 5, Some(NOW + 5)), Err(ErrorKind::Lifetime));
    assert_eq!(living(NOW, NOW + 5, Some(NOW + 6)), Err(ErrorKind::Lifetime));
    assert_eq!(living(NOW, NOW + 5, Some(NOW + 4)), Ok(()));
    assert_eq!(living(NOW, NOW + 5, Some(0)), Ok(()));

    assert_eq!(forge.verifier().max_lifetime(Duration::ZERO).unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(
        forge.verifier().max_lifetime(Duration::from_secs(86_401)).unwrap_err().kind(),
        ErrorKind::Config
    );
    let short = forge.verifier().max_lifetime(Duration::from_secs(600)).unwrap();
    assert_eq!(refused(&short, &forge.good()), ErrorKind::Lifetime);
}

#[test]
fn row_16_asvs_9_2_2_another_kind_of_token_is_no_access_token() {
    for forge in ALGORITHMS.map(Forge::new) {
        let with_typ = |typ: &str| {
            let header = format!(r#"{{"alg":"{}","kid":"k1"{typ}}}"#, forge.algorithm.name());
            verify(&forge.verifier(), &forge.token(&header, &good_claims())).map(|_| ())
        };
        for typ in ["at+jwt", "AT+JWT", "At+Jwt", "application/at+jwt", "Application/AT+JWT"] {
            assert_eq!(with_typ(&format!(r#","typ":"{typ}""#)), Ok(()), "{typ}");
        }
        for typ in [
            "JWT",
            "jwt",
            "logout+jwt",
            "dpop+jwt",
            "rt+jwt",
            "id+jwt",
            "secevent+jwt",
            "at+jwt ",
            " at+jwt",
            "at jwt",
            "at%2Bjwt",
            "application/",
            "application/application/at+jwt",
            "text/at+jwt",
            "at+jwt;v=1",
            "xat+jwt",
            "",
        ] {
            assert_eq!(with_typ(&format!(r#","typ":"{typ}""#)), Err(ErrorKind::Type), "{typ}");
        }
        for typ in ["", r#","typ":null"#, r#","typ":["at+jwt"]"#, r#","typ":1"#] {
            assert_eq!(with_typ(typ), Err(ErrorKind::Type), "{typ}");
        }
    }
}

#[test]
fn row_16_every_required_claim_is_required() {
    for forge in ALGORITHMS.map(Forge::new) {
        for claim in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"] {
            let error = forge.verifier().verify(RawToken::new(&forge.without(claim))).unwrap_err();
            assert_eq!((error.kind(), error.claim()), (ErrorKind::MissingClaim, Some(claim)));
        }
        for claim in ["tenant", "roles"] {
            assert!(verify(&forge.verifier(), &forge.without(claim)).is_ok());
        }
        assert_eq!(refused(&forge.verifier(), &forge.claiming("{}")), ErrorKind::MissingClaim);
    }
}

#[test]
fn row_16_a_bound_token_is_no_bearer_token() {
    let forge = Forge::new(Algorithm::EdDsa);
    for cnf in [json!({"jkt": "x"}), json!({"x5t#S256": "x"}), json!({}), json!(null), json!("x")] {
        assert_eq!(refused(&forge.verifier(), &forge.with("cnf", cnf)), ErrorKind::Bound);
    }
}

#[test]
fn row_17_asvs_9_2_3_asvs_10_3_1_a_token_for_another_audience_is_refused() {
    for forge in ALGORITHMS.map(Forge::new) {
        for aud in [
            "https://other.example",
            "https://api.exampl",
            "https://api.example/",
            "https://api.example.evil",
            "https://api",
            "HTTPS://API.EXAMPLE",
            "*",
            " https://api.example",
            "https://api.example https://other.example",
        ] {
            assert_eq!(
                refused(&forge.verifier(), &forge.with("aud", json!(aud))),
                ErrorKind::Audience,
                "{aud}"
            );
            assert_eq!(
                refused(&forge.verifier(), &forge.with("aud", json!([aud, "x"]))),
                ErrorKind::Audience,
                "{aud}"
            );
        }
        assert!(verify(&forge.verifier(), &forge.with("aud", json!(["x", AUDIENCE]))).is_ok());
        assert_eq!(refused(&forge.verifier(), &forge.without("aud")), ErrorKind::MissingClaim);
    }
}

#[test]
fn row_17_the_same_kid_of_another_issuer_is_another_key() {
    let forge = Forge::new(Algorithm::EdDsa);
    // Another issuer uses the same `kid` and our `iss`, and a verifier for the other one has our key's token.
    let other = bartizan_tokens::SigningKey::generate(
        &bartizan_crypto_ring::Ring::new(),
        Algorithm::EdDsa,
        Some("k1"),
        &bartizan_testkit::SeededEntropy::new(3),
    )
    .unwrap();
    let token = bartizan_tokens::jws::sign(&other, Some("at+jwt"), good_claims().as_bytes()).unwrap();
    assert_eq!(refused(&forge.verifier(), token.expose()), ErrorKind::Signature);
    let for_other =
        Verifier::access_tokens("https://other.example", AUDIENCE, forge.keys(), clock()).unwrap();
    assert_eq!(refused(&for_other, &forge.good()), ErrorKind::Issuer);
}

#[test]
fn row_17_a_verifier_without_issuer_or_audience_cannot_be_made() {
    let forge = Forge::new(Algorithm::EdDsa);
    for (issuer, audience) in [("", AUDIENCE), (ISSUER, ""), ("a\nb", AUDIENCE), (ISSUER, "\0")] {
        let error = Verifier::access_tokens(issuer, audience, forge.keys(), clock()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}

#[test]
fn asvs_9_1_1_no_claim_is_read_before_the_signature_holds() {
    for forge in ALGORITHMS.map(Forge::new) {
        let expired = forge.with("exp", json!(NOW - 100));
        let tokens = [
            expired,
            forge.with("iss", json!("https://evil.example")),
            forge.claiming("no json at all"),
            forge.claiming("{"),
            forge.with_raw("exp", "1e400"),
            forge.claiming(&"[".repeat(4_000)),
            forge.without("sub"),
            forge.encoded(&crate::support::encode(forge.header()), "####"),
        ];
        for token in tokens {
            assert_ne!(refused(&forge.verifier(), &token), ErrorKind::Signature);
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let mut signature = crate::support::decode(signature);
            signature[7] ^= 1;
            let forged = format!("{signed}.{}", crate::support::encode(signature));
            // Whatever the claims are, the answer is about the signature and tells nothing else.
            assert_eq!(refused(&forge.verifier(), &forged), ErrorKind::Signature);
        }
    }
}
