//! How many allocations the road from a token to a principal costs, and issuing one. The counts are those of any build.

use std::sync::Arc;

use allocation_counter::measure;
use bartizan_core::{RawToken, SecretBytes};
use bartizan_crypto_ring::Ring;
use bartizan_testkit::SeededEntropy;
use bartizan_tokens::{AccessToken, Algorithm, Issuer, KeySet, SigningKey, Verifier};
use serde_json::{Value, json};

use crate::support::{ALGORITHMS, AUDIENCE, Forge, ISSUER, SECRET, claims, clock, signing_key};

/// As many lists as there may be, each with several entries.
fn rich_claims() -> String {
    let mut claims = claims();
    for (name, value) in [
        ("sid", json!("s-1")),
        ("acr", json!("2")),
        ("amr", json!(["pwd", "otp"])),
        ("groups", json!(["ward-1", "ward-2"])),
        ("roles", json!(["doctor", "nurse"])),
        ("own", json!({"a": [1, 2, 3]})),
    ] {
        claims.insert(name.into(), value);
    }
    Value::Object(claims).to_string()
}

#[test]
fn verifying_costs_one_allocation() {
    for forge in ALGORITHMS.map(Forge::new) {
        let verifier = forge.verifier();
        for token in [forge.good(), forge.claiming(&rich_claims())] {
            // The first one of its kind is remembered.
            assert!(verifier.verify(RawToken::new(&token)).is_ok());
            let mut verdict = None;
            let used = measure(|| verdict = verifier.verify(RawToken::new(&token)).ok());
            assert!(verdict.is_some());
            assert_eq!(used.count_total, 1, "{:?}", forge.algorithm);
        }
    }
}

#[test]
fn from_header_to_principal_are_three_allocations_however_much_it_says() {
    for forge in ALGORITHMS.map(Forge::new) {
        let verifier = forge.verifier();
        let token = forge.claiming(&rich_claims());
        assert!(verifier.verify(RawToken::new(&token)).is_ok());
        let mut principal = None;
        let used = measure(|| principal = verifier.verify(RawToken::new(&token)).unwrap().principal().ok());
        let principal = principal.unwrap();
        assert!(principal.roles().contains("nurse") && principal.teams().len() == 2);
        assert!(used.count_total <= 3, "{}", used.count_total);
    }
}

#[test]
fn issuing_costs_two_allocations() {
    for algorithm in ALGORITHMS {
        let key = signing_key(&Ring::new(), algorithm, "k1");
        let issuer = Issuer::new(ISSUER, key, clock(), Arc::new(SeededEntropy::new(1))).unwrap();
        let token = AccessToken::new("ada", AUDIENCE, "web")
            .tenant("north")
            .roles(["doctor"])
            .claim("permissions", json!(["patient:read", "patient:update"]));
        assert!(issuer.issue(&token).is_ok());
        let mut issued = None;
        let used = measure(|| issued = issuer.issue(&token).ok());
        assert!(issued.is_some());
        assert!(used.count_total <= 2, "{algorithm:?}: {used:?}");
    }
}

#[test]
fn a_text_with_escapes_costs_more_and_says_the_same() {
    let key =
        SigningKey::hmac(&Ring::new(), Algorithm::Hs256, "k1", &SecretBytes::new(SECRET.to_vec())).unwrap();
    let verifier =
        Verifier::access_tokens(ISSUER, AUDIENCE, KeySet::new([key.verifying()]).unwrap(), clock()).unwrap();
    let claims = rich_claims()
        .replace("nurse", r"n\u0075rs\u00e9")
        .replace("ada", r"\u0061da")
        .replace("north", r"n\/rth");
    let token = Forge::new(Algorithm::Hs256).claiming(&claims);
    let verified = verifier.verify(RawToken::new(&token)).unwrap();
    assert_eq!((verified.subject(), verified.tenant()), ("ada", Some("n/rth")));
    assert_eq!(verified.roles().collect::<Vec<_>>(), ["doctor", "nursé"]);
    assert_eq!(verified.groups().collect::<Vec<_>>(), ["ward-1", "ward-2"]);
    assert_eq!(verified.claims_json(), claims);
}
