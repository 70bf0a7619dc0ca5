//! What holds for every token and every text.

use bartizan_core::RawToken;
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;
use bartizan_tokens::{KeySet, Limits, Verifier, jws, parse};
use proptest::prelude::*;

use crate::support::{
    ALGORITHMS, AUDIENCE, Forge, ISSUER, KID, claims, clock, good_claims, signing_key, verify,
};

#[test]
fn any_byte_of_a_token_changed_is_refused() {
    for forge in ALGORITHMS.map(Forge::new) {
        let (good, verifier) = (forge.good(), forge.verifier());
        assert!(verify(&verifier, &good).is_ok());
        for place in 0..good.len() {
            // Another letter, one that is none of base64url, a dot; then the byte left out, and doubled.
            let old = good.as_bytes()[place];
            let other = if old == b'A' { "B" } else { "A" };
            let doubled = format!("{0}{0}", char::from(old));
            for new in [other, "!", ".", "", &doubled] {
                let changed = format!("{}{new}{}", &good[..place], &good[place + 1..]);
                if changed != good {
                    assert!(verify(&verifier, &changed).is_err(), "{place} {new}");
                }
            }
        }
        for length in 0..good.len() {
            assert!(verify(&verifier, &good[..length]).is_err(), "{length}");
        }
    }
}

/// A change of a good token.
#[derive(Clone, Debug)]
enum Change {
    Header(String),
    Claims(String),
    Claim(&'static str, String),
    Byte(prop::sample::Index, char),
    Nothing,
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|it| it.to_string()),
        any::<i64>().prop_map(|it| it.to_string()),
        any::<f64>().prop_map(|it| format!("{it:e}")),
        "[a-z\\\\\"{}:,u0-9]{0,6}",
        any::<String>().prop_map(|text| serde_json::Value::String(text).to_string()),
        (0_i64..2_000_000_000).prop_map(|it| it.to_string()),
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "alg",
            "kid",
            "typ",
            "crit",
            "b64",
            "jwk",
            "iss",
            "sub",
            "aud",
            "exp",
            "nbf",
            "iat",
            "jti",
            "client_id",
            "tenant",
            "roles",
            "act",
            "amr",
            "cnf",
            "kty",
            "crv",
            "x",
            "y",
            "d",
            "k",
            "use",
            "key_ops",
            "keys",
            "Exp",
            "a\\u006cg",
        ])
        .prop_map(str::to_owned),
        "[a-c]{1,2}",
    ];
    leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|list| format!("[{}]", list.join(","))),
            prop::collection::vec((name.clone(), inner), 0..6).prop_map(|members| {
                let members = members.iter().map(|(name, value)| format!("\"{name}\":{value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

fn change() -> impl Strategy<Value = Change> {
    let claim = prop::sample::select(vec![
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "client_id",
        "roles",
        "act",
        "own",
    ]);
    prop_oneof![
        json().prop_map(Change::Header),
        json().prop_map(Change::Claims),
        (claim, json()).prop_map(|(claim, value)| Change::Claim(claim, value)),
        (any::<prop::sample::Index>(), any::<char>()).prop_map(|(place, letter)| Change::Byte(place, letter)),
        Just(Change::Nothing),
    ]
}

fn changed(forge: &Forge, change: &Change) -> String {
    match change {
        Change::Header(header) => forge.token(header, &good_claims()),
        Change::Claims(claims) => forge.claiming(claims),
        Change::Claim(claim, value) => forge.with_raw(claim, value),
        Change::Byte(place, letter) => {
            let good = forge.good();
            let place = place.index(good.len());
            format!("{}{letter}{}", &good[..place], &good[place + 1..])
        }
        Change::Nothing => forge.good(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn both_providers_give_the_same_verdict(change in change(), which in 0..ALGORITHMS.len()) {
        let forge = Forge::new(ALGORITHMS[which]);
        let token = changed(&forge, &change);
        let verdict = |keys: KeySet| {
            let verifier = Verifier::access_tokens(ISSUER, AUDIENCE, keys.clone(), clock()).unwrap();
            let claims = verify(&verifier, &token).map(|verified| verified.claims_json().to_owned());
            let payload = jws::verify(&keys, RawToken::new(&token), &Limits::DEFAULT);
            (claims, payload.map(jws::Payload::into_bytes).map_err(|error| error.kind()))
        };
        let ring = verdict(KeySet::new([signing_key(&Ring::new(), forge.algorithm, KID).verifying()]).unwrap());
        let rustcrypto = verdict(KeySet::new([signing_key(&RustCrypto::new(), forge.algorithm, KID).verifying()]).unwrap());
        prop_assert_eq!(&ring, &rustcrypto);
        // Whatever is accepted as an access token is an authentic payload, byte by byte.
        if let (Ok(claims), payload) = ring {
            prop_assert_eq!(Ok(claims.into_bytes()), payload);
        }
    }

    /// Our reading against serde_json's: what we accept, it reads, and to the same values.
    #[test]
    fn accepted_claims_say_the_same_to_another_reader(value in json(), claim in prop::sample::select(vec!["sub", "aud", "exp", "roles", "own", "x"])) {
        let forge = Forge::new(bartizan_tokens::Algorithm::Hs256);
        if let Ok(verified) = verify(&forge.verifier(), &forge.with_raw(claim, &value)) {
            let read: serde_json::Value = serde_json::from_str(verified.claims_json()).unwrap();
            prop_assert_eq!(verified.subject(), read["sub"].as_str().unwrap());
            prop_assert_eq!(verified.expires().as_secs(), read["exp"].as_i64().unwrap());
            let roles: Vec<_> = read["roles"].as_array().unwrap().iter().map(|role| role.as_str().unwrap()).collect();
            prop_assert_eq!(verified.roles().collect::<Vec<_>>(), roles);
            prop_assert!(claim == "x" || read.as_object().unwrap().len() >= claims().len());
        }
    }

    #[test]
    fn parsers_take_anything_without_a_panic(text in prop_oneof![json(), "\\PC{0,60}", "[A-Za-z0-9_.=-]{0,60}"], bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let provider = RustCrypto::new();
        for text in [text.as_str(), &String::from_utf8_lossy(&bytes)] {
            let _ = parse::compact(text, &Limits::DEFAULT);
            let _ = parse::header(text, &Limits::DEFAULT);
            let _ = parse::claims(text, &Limits::DEFAULT);
        }
        for bytes in [text.as_bytes(), &bytes] {
            let _ = parse::jwk(&provider, bytes);
            let _ = parse::jwks(&provider, bytes);
            let _ = parse::pem(&provider, bytes);
        }
    }

    #[test]
    fn any_payload_is_signed_and_verified(payload in prop::collection::vec(any::<u8>(), 0..300), typ in prop::option::of("[a-z+/]{1,20}"), which in 0..ALGORITHMS.len()) {
        let key = signing_key(&Ring::new(), ALGORITHMS[which], KID);
        let token = jws::sign(&key, typ.as_deref(), &payload).unwrap();
        let keys = KeySet::new([key.verifying()]).unwrap();
        let verified = jws::verify(&keys, RawToken::new(token.expose()), &Limits::DEFAULT).unwrap();
        prop_assert_eq!((verified.as_bytes(), verified.typ(), verified.kid()), (payload.as_slice(), typ.as_deref(), Some(KID)));
    }
}
