//! Key sets in and out.

use bartizan_crypto_ring::Ring;
use bartizan_tokens::{Algorithm, ErrorKind, KeySet, SkipReason, VerifyingKey};
use serde_json::{Value, json};

use crate::support::{encode, providers, signing_key};

fn public(algorithm: Algorithm, kid: &str) -> VerifyingKey {
    signing_key(&Ring::new(), algorithm, kid).verifying()
}

fn jwk(algorithm: Algorithm, kid: &str) -> Value {
    serde_json::from_str(&public(algorithm, kid).to_public_jwk().unwrap()).unwrap()
}

#[test]
fn what_is_published_is_read_again() {
    let keys = KeySet::new([public(Algorithm::Es256, "b"), public(Algorithm::EdDsa, "a")]).unwrap();
    let json = keys.to_jwks().unwrap();
    for provider in providers() {
        let (again, skipped) = KeySet::from_jwks(&*provider, json.as_bytes()).unwrap();
        assert!(skipped.is_empty());
        assert_eq!(again.to_jwks().unwrap(), json);
        let names = again.keys().map(|key| (key.kid().unwrap(), key.algorithm())).collect::<Vec<_>>();
        assert_eq!(names, [("a", Algorithm::EdDsa), ("b", Algorithm::Es256)]);
    }
    let json: Value = serde_json::from_str(&json).unwrap();
    let members = json["keys"][1].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
}

#[test]
fn symmetric_keys_are_never_published() {
    let keys = KeySet::new([public(Algorithm::Hs256, "a"), public(Algorithm::Hs256, "b")]).unwrap();
    assert_eq!(keys.to_jwks().unwrap_err().kind(), ErrorKind::KeySecrecy);
}

#[test]
fn a_key_that_is_not_ours_is_skipped_with_its_reason() {
    let mut off_curve = jwk(Algorithm::Es256, "6");
    off_curve["x"] = json!(encode([1; 32]));
    let mut for_encryption = jwk(Algorithm::Es256, "4");
    for_encryption["use"] = json!("enc");
    let mut unnamed = jwk(Algorithm::Es256, "7");
    unnamed.as_object_mut().unwrap().remove("kid");
    let mut fits_not = jwk(Algorithm::EdDsa, "10");
    fits_not["alg"] = json!("ES256");
    let set = json!({"keys": [
        {"kty": "RSA", "kid": "0", "n": encode([0xc1; 256]), "e": "AQAB"},
        {"kty": "EC", "crv": "P-521", "kid": "1", "x": "AA", "y": "AA"},
        {"kty": "AKP", "kid": "2", "alg": "ML-DSA-44", "pub": "AA"},
        {"kty": "EC", "crv": "P-256", "kid": "3", "x": "AA", "y": "AA"},
        for_encryption, {"kid": "5"}, off_curve, unnamed, "no key", jwk(Algorithm::EdDsa, "9"), fits_not, jwk(Algorithm::Es256, "11"),
    ]});
    for provider in providers() {
        let (keys, skipped) = KeySet::from_jwks(&*provider, set.to_string().as_bytes()).unwrap();
        assert_eq!(keys.keys().map(|key| key.kid().unwrap()).collect::<Vec<_>>(), ["11", "9"]);
        let reasons = skipped.iter().map(|skipped| (skipped.index, skipped.reason)).collect::<Vec<_>>();
        assert_eq!(
            reasons,
            [
                (0, SkipReason::NoAlgorithm),
                (1, SkipReason::Unsupported),
                (2, SkipReason::Unsupported),
                (3, SkipReason::Malformed),
                (4, SkipReason::Use),
                (5, SkipReason::Malformed),
                (6, SkipReason::Unusable),
                (7, SkipReason::Unnamed),
                (8, SkipReason::Malformed),
                (10, SkipReason::Use),
            ]
        );
    }
}

#[test]
fn a_lone_key_needs_no_name() {
    let mut unnamed = jwk(Algorithm::Es256, "7");
    unnamed.as_object_mut().unwrap().remove("kid");
    let set = json!({"keys": [unnamed, {"kty": "RSA"}]}).to_string();
    let (keys, skipped) = KeySet::from_jwks(&Ring::new(), set.as_bytes()).unwrap();
    assert_eq!((keys.keys().len(), skipped.len()), (1, 1));
}

#[test]
fn asvs_1_5_3_a_set_is_read_whole_or_not_at_all() {
    let good = json!({"keys": [jwk(Algorithm::Es256, "a")]}).to_string();
    for provider in providers() {
        assert!(KeySet::from_jwks(&*provider, good.as_bytes()).is_ok());
        for bad in [
            String::new(),
            "[]".into(),
            "{}".into(),
            "<html></html>".into(),
            format!("\u{feff}{good}"),
            format!("{good}{good}"),
            good[..good.len() - 1].to_owned(),
            good.replace("\"keys\"", "\"Keys\""),
            good.replace("\"a\"", r#""\ud800""#),
            good.replace("\"kid\"", "\"kid\":\"b\",\"kid\""),
            good.replace("\"kid\"", "\"kid\":\"b\",\"\\u006bid\""),
            format!("{},\"keys\":[]}}", &good[..good.len() - 1]),
            json!({"keys": {}}).to_string(),
            json!({"keys": null}).to_string(),
        ] {
            assert_eq!(
                KeySet::from_jwks(&*provider, bad.as_bytes()).unwrap_err().kind(),
                ErrorKind::KeyFormat,
                "{bad}"
            );
        }
        let spaces = format!("{good}{}", " ".repeat(256 * 1024));
        assert_eq!(
            KeySet::from_jwks(&*provider, spaces.as_bytes()).unwrap_err().kind(),
            ErrorKind::KeyTooLarge
        );
        let many =
            json!({"keys": (0..65).map(|i| jwk(Algorithm::EdDsa, &format!("k{i}"))).collect::<Vec<_>>()})
                .to_string();
        assert_eq!(
            KeySet::from_jwks(&*provider, many.as_bytes()).unwrap_err().kind(),
            ErrorKind::KeyTooLarge
        );
        let keys =
            (0..100_000).map(|i| format!(r#"{{"kty":"RSA","kid":"{i}"}}"#)).collect::<Vec<_>>().join(",");
        let flood = format!(r#"{{"keys":[{keys}]}}"#);
        assert_eq!(
            KeySet::from_jwks(&*provider, flood.as_bytes()).unwrap_err().kind(),
            ErrorKind::KeyTooLarge
        );
    }
}

#[test]
fn shared_secrets_come_from_a_constructor_of_their_own() {
    let secret = |kid| -> Value {
        serde_json::from_str(signing_key(&Ring::new(), Algorithm::Hs256, kid).to_private_jwk().expose())
            .unwrap()
    };
    let set = |keys: Value| json!({"keys": keys}).to_string();
    for provider in providers() {
        let kind = |keys: Value| {
            let read = KeySet::from_secret_jwks(&*provider, set(keys).as_bytes());
            read.map(|(keys, skipped)| (keys.keys().len(), skipped.len())).map_err(|error| error.kind())
        };
        assert_eq!(kind(json!([secret("a"), secret("b")])), Ok((2, 0)));
        let mut hs512 = secret("c");
        hs512["alg"] = json!("ES512");
        assert_eq!(kind(json!([secret("a"), hs512.clone()])), Ok((1, 1)));
        hs512["alg"] = json!("HS512");
        assert_eq!(kind(json!([secret("a"), hs512])), Err(ErrorKind::SecretTooShort));
        assert_eq!(kind(json!([secret("a"), secret("a")])), Err(ErrorKind::KeyDuplicate));
        assert_eq!(kind(json!([secret("a"), jwk(Algorithm::EdDsa, "b")])), Err(ErrorKind::KeyMixed));
        assert_eq!(kind(json!([])), Err(ErrorKind::KeyNone));
        let public = jwk(Algorithm::EdDsa, "b").to_string();
        assert_eq!(
            VerifyingKey::from_secret_jwk(&*provider, public.as_bytes()).unwrap_err().kind(),
            ErrorKind::KeySecrecy
        );
        assert_eq!(
            VerifyingKey::from_jwk(&*provider, secret("a").to_string().as_bytes()).unwrap_err().kind(),
            ErrorKind::KeySecrecy
        );
    }
}
