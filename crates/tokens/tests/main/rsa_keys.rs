//! JWKs of RSA keys, of P-384 and of longer secrets, and the rules by which RSA keys of others are taken.

use std::fs;

use bartizan_core::{RawToken, SecretBytes};
use bartizan_crypto::Provider;
use bartizan_crypto_ring::Ring;
use bartizan_testkit::SeededEntropy;
use bartizan_tokens::{
    Algorithm, ErrorKind, KeyRules, KeySet, Limits, SigningKey, SkipReason, SkippedKey, VerifyingKey, jws,
    key_file,
};
use serde_json::{Value, json};

use crate::{
    key_files::roca,
    support::{KID, decode, encode, providers},
};

fn rsa(algorithm: Algorithm) -> SigningKey {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/openssl/rsa.pkcs8.pem");
    let key = key_file::private_from_pem(&Ring::new(), algorithm, &fs::read(path).unwrap()).unwrap();
    match algorithm.is_rsa_pkcs1() {
        true => SigningKey::danger_rsa_pkcs1(&Ring::new(), Some(KID), &key).unwrap(),
        false => SigningKey::from_private(&Ring::new(), Some(KID), &key).unwrap(),
    }
}

fn private_jwk(algorithm: Algorithm) -> Value {
    serde_json::from_str(rsa(algorithm).to_private_jwk().expose()).unwrap()
}

fn public_jwk(algorithm: Algorithm) -> Value {
    serde_json::from_str(&rsa(algorithm).verifying().to_public_jwk().unwrap()).unwrap()
}

fn with(jwk: &Value, member: &str, value: Value) -> Value {
    let mut jwk = jwk.clone();
    match value {
        Value::Null => jwk.as_object_mut().unwrap().remove(member),
        value => jwk.as_object_mut().unwrap().insert(member.into(), value),
    };
    jwk
}

fn longer(number: &Value) -> Value {
    json!(encode([&[0], &decode(number.as_str().unwrap())[..]].concat()))
}

#[test]
fn an_rsa_jwk_is_read_as_it_is_written() {
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| algorithm.is_rsa()) {
        let (key, rules) = (rsa(algorithm), KeyRules::strict().danger_rsa_pkcs1());
        let (private, public) = (key.to_private_jwk(), key.verifying().to_public_jwk().unwrap());
        let again = SigningKey::from_jwk_with(&Ring::new(), private.expose().as_bytes(), &rules).unwrap();
        assert_eq!((again.to_private_jwk(), again.algorithm()), (private, algorithm));
        let again = VerifyingKey::from_jwk_with(&Ring::new(), public.as_bytes(), &rules).unwrap();
        assert_eq!((again.to_public_jwk().unwrap(), again.algorithm()), (public.clone(), algorithm));
        let members: Vec<String> = public_jwk(algorithm).as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
        let members: Vec<String> = private_jwk(algorithm).as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["alg", "d", "dp", "dq", "e", "kid", "kty", "n", "p", "q", "qi", "use"]);
    }
}

#[test]
fn a_public_rsa_jwk_says_one_thing() {
    let good = public_jwk(Algorithm::Ps256);
    let (n, e) = (&good["n"], &good["e"]);
    let mut even = decode(n.as_str().unwrap());
    even[255] ^= 1;
    for (member, value, kind, about) in [
        ("n", Value::Null, ErrorKind::KeyFormat, "n"),
        ("e", Value::Null, ErrorKind::KeyFormat, "e"),
        ("n", longer(n), ErrorKind::KeyFormat, "n"),
        ("e", longer(e), ErrorKind::KeyFormat, "e"),
        ("e", json!(""), ErrorKind::KeyFormat, "e"),
        ("e", json!("AA"), ErrorKind::KeyFormat, "e"),
        ("e", json!("AQAB="), ErrorKind::KeyFormat, "e"),
        ("n", json!(format!("{}+", n.as_str().unwrap())), ErrorKind::KeyFormat, "n"),
        ("n", json!(encode([0xff; 128])), ErrorKind::KeySize, "n"),
        ("n", json!(encode([[0xff; 1025].as_slice()].concat())), ErrorKind::KeySize, "n"),
        ("n", json!(encode(even)), ErrorKind::KeyWeak, "n"),
        ("n", json!(encode(roca())), ErrorKind::KeyWeak, "n"),
        ("e", json!("AQ"), ErrorKind::KeyWeak, "e"),
        ("e", json!("Ag"), ErrorKind::KeyWeak, "e"),
        ("e", json!("AQAA"), ErrorKind::KeyWeak, "e"),
        ("e", n.clone(), ErrorKind::KeyWeak, "e"),
        ("alg", Value::Null, ErrorKind::KeyAlgorithm, "alg"),
        ("alg", json!("RS256"), ErrorKind::KeyRsaPkcs1, "alg"),
        ("alg", json!("RS384"), ErrorKind::KeyRsaPkcs1, "alg"),
        ("alg", json!("RS512"), ErrorKind::KeyRsaPkcs1, "alg"),
        ("alg", json!("ES256"), ErrorKind::KeyUse, "alg"),
        ("alg", json!("HS256"), ErrorKind::KeyUse, "alg"),
        ("alg", json!("RSA-OAEP"), ErrorKind::KeyUnsupported, "alg"),
        ("alg", json!("PS257"), ErrorKind::KeyUnsupported, "alg"),
        ("use", json!("enc"), ErrorKind::KeyUse, "use"),
        ("key_ops", json!(["encrypt"]), ErrorKind::KeyUse, "key_ops"),
        ("crv", json!("P-256"), ErrorKind::KeyFormat, "crv"),
        ("x", json!("AQAB"), ErrorKind::KeyFormat, "x"),
        ("kty", json!("EC"), ErrorKind::KeyFormat, "crv"),
        ("kty", json!("rsa"), ErrorKind::KeyUnsupported, "kty"),
    ] {
        assert!(VerifyingKey::from_jwk(&Ring::new(), good.to_string().as_bytes()).is_ok());
        let error =
            VerifyingKey::from_jwk(&Ring::new(), with(&good, member, value.clone()).to_string().as_bytes())
                .unwrap_err();
        assert_eq!((error.kind(), error.claim()), (kind, Some(about)), "{member} {value}");
    }
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
        let leaked = with(&good, member, json!("AQ")).to_string();
        let error = VerifyingKey::from_jwk(&Ring::new(), leaked.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::KeySecrecy, "{member}");
    }
}

#[test]
fn a_private_rsa_jwk_is_whole() {
    let good = private_jwk(Algorithm::Ps256);
    let read = |jwk: &Value| SigningKey::from_jwk(&Ring::new(), jwk.to_string().as_bytes());
    assert!(read(&good).is_ok());
    for member in ["d", "p", "q", "dp", "dq", "qi"] {
        for value in [Value::Null, longer(&good[member]), json!(""), json!("AA"), json!("====")] {
            let error = read(&with(&good, member, value.clone())).unwrap_err();
            assert_eq!((error.kind(), error.claim()), (ErrorKind::KeyFormat, Some(member)), "{value}");
        }
        assert_eq!(read(&with(&good, member, json!(7))).unwrap_err().kind(), ErrorKind::KeyFormat);
        // What is not escaped was not copied to where nobody wipes it.
        let escaped =
            good.to_string().replace(&format!("\"{member}\":\""), &format!("\"{member}\":\"\\u0041"));
        assert_eq!(
            SigningKey::from_jwk(&Ring::new(), escaped.as_bytes()).unwrap_err().kind(),
            ErrorKind::KeyFormat
        );
    }
    let others = with(&good, "oth", json!([{"r": "AQ", "d": "AQ", "t": "AQ"}]));
    let error = read(&others).unwrap_err();
    assert_eq!((error.kind(), error.claim()), (ErrorKind::KeyUnsupported, Some("oth")));
    // Numbers that do not belong together are no key.
    for member in ["p", "q", "dp", "dq", "qi"] {
        let mut number = decode(good[member].as_str().unwrap());
        number[40] ^= 4;
        let error = read(&with(&good, member, json!(encode(number)))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::KeyUnusable, "{member}");
    }
}

/// What is skipped, and why.
fn skipped(keys: &[Value], rules: &KeyRules) -> Result<Vec<(SkipReason, Option<&'static str>)>, ErrorKind> {
    let all = [keys, &[ed25519("good")]].concat();
    let set = json!({"keys": all}).to_string();
    let (read, skipped) =
        KeySet::from_jwks_with(&Ring::new(), set.as_bytes(), rules).map_err(|error| error.kind())?;
    assert_eq!(read.keys().len() + skipped.len(), keys.len() + 1);
    Ok(skipped.into_iter().map(|SkippedKey { reason, member, .. }| (reason, member)).collect())
}

fn ed25519(kid: &str) -> Value {
    let key =
        SigningKey::generate(&Ring::new(), Algorithm::EdDsa, Some(kid), &SeededEntropy::new(5)).unwrap();
    serde_json::from_str(&key.verifying().to_public_jwk().unwrap()).unwrap()
}

#[test]
fn rsa_keys_of_others_are_taken_by_rules_alone() {
    let named = |alg: &str| with(&with(&public_jwk(Algorithm::Ps256), "alg", json!(alg)), "kid", json!(alg));
    let unnamed = with(&public_jwk(Algorithm::Ps256), "alg", Value::Null);
    let for_encryption = with(&with(&unnamed, "use", json!("enc")), "kid", json!("e"));
    let small = with(&with(&named("PS256"), "n", json!(encode([0xff; 128]))), "kid", json!("s"));
    let weak = with(&with(&named("PS256"), "e", json!("AQ")), "kid", json!("w"));
    let keys = [named("PS384"), named("RS256"), unnamed, for_encryption, small, weak];
    let rest = [(SkipReason::Use, Some("use")), (SkipReason::Size, Some("n")), (SkipReason::Weak, Some("e"))];
    let pkcs1 = (SkipReason::RsaPkcs1, Some("alg"));
    let no_algorithm = (SkipReason::NoAlgorithm, Some("alg"));
    let strict = KeyRules::strict();
    for (rules, first) in [
        (strict, vec![pkcs1, no_algorithm]),
        (strict.danger_rsa_pkcs1(), vec![no_algorithm]),
        (strict.rsa_without_alg(Algorithm::Ps512), vec![pkcs1]),
        (strict.danger_rsa_pkcs1().rsa_without_alg(Algorithm::Rs512), vec![]),
    ] {
        assert_eq!(skipped(&keys, &rules).unwrap(), [&first[..], &rest[..]].concat());
    }
    assert_eq!(
        KeySet::from_jwks(&Ring::new(), json!({"keys": [named("RS256")]}).to_string().as_bytes())
            .unwrap_err()
            .kind(),
        ErrorKind::KeyNone
    );
    // Rules that contradict themselves, before any key is read.
    for rules in [strict.rsa_without_alg(Algorithm::Rs256), strict.rsa_without_alg(Algorithm::Es256)] {
        assert_eq!(skipped(&[], &rules), Err(ErrorKind::Config));
        assert_eq!(
            VerifyingKey::from_jwk_with(&Ring::new(), b"{}", &rules).unwrap_err().kind(),
            ErrorKind::Config
        );
        assert_eq!(
            SigningKey::from_jwk_with(&Ring::new(), b"{}", &rules).unwrap_err().kind(),
            ErrorKind::Config
        );
    }
}

/// CVE-2026-22817: what a key without `alg` is for is said by whoever trusts it, and never by the token.
#[test]
fn row_03_an_rsa_key_without_alg_has_the_algorithm_of_the_rules() {
    let unnamed = with(&public_jwk(Algorithm::Ps256), "alg", Value::Null);
    let set = json!({"keys": [unnamed]}).to_string();
    let rules = KeyRules::strict().rsa_without_alg(Algorithm::Ps384);
    let (keys, _) = KeySet::from_jwks_with(&Ring::new(), set.as_bytes(), &rules).unwrap();
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| algorithm.is_rsa()) {
        let token = jws::sign(&rsa(algorithm), None, b"payload").unwrap();
        let verdict = jws::verify(&keys, RawToken::new(token.expose()), &Limits::DEFAULT);
        match algorithm {
            Algorithm::Ps384 => assert_eq!(verdict.unwrap().algorithm(), algorithm),
            _ => assert_eq!(verdict.unwrap_err().kind(), ErrorKind::Algorithm),
        }
    }
    // A key that names its algorithm keeps it, whatever the rules say.
    let set = json!({"keys": [public_jwk(Algorithm::Ps256)]}).to_string();
    let (keys, _) = KeySet::from_jwks_with(&Ring::new(), set.as_bytes(), &rules).unwrap();
    assert_eq!(keys.keys().next().unwrap().algorithm(), Algorithm::Ps256);
}

#[test]
fn an_rsa_signature_has_the_length_of_the_modulus() {
    let key = rsa(Algorithm::Ps256);
    let keys = KeySet::new([key.verifying()]).unwrap();
    let token = jws::sign(&key, None, b"payload").unwrap();
    let (signed, signature) = token.expose().rsplit_once('.').unwrap();
    let bytes = decode(signature);
    assert_eq!(bytes.len(), 256);
    for other in [
        vec![],
        bytes[..255].to_vec(),
        [&[0], &bytes[..]].concat(),
        [&bytes[..], &[0]].concat(),
        vec![0xff; 1025],
    ] {
        let token = format!("{signed}.{}", encode(other));
        let refused = jws::verify(&keys, RawToken::new(&token), &Limits::DEFAULT).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Signature);
    }
    for changed in [0, 128, 255] {
        let mut other = bytes.clone();
        other[changed] ^= 1;
        let token = format!("{signed}.{}", encode(other));
        assert!(jws::verify(&keys, RawToken::new(&token), &Limits::DEFAULT).is_err());
    }
}

#[test]
fn p384_coordinates_have_their_full_length() {
    for provider in providers() {
        let key =
            SigningKey::generate(&*provider, Algorithm::Es384, Some(KID), &SeededEntropy::new(2)).unwrap();
        let good: Value = serde_json::from_str(&key.verifying().to_public_jwk().unwrap()).unwrap();
        assert_eq!(
            (&good["crv"], &good["alg"], &good["kty"]),
            (&json!("P-384"), &json!("ES384"), &json!("EC"))
        );
        let read = |jwk: &Value| VerifyingKey::from_jwk(&*provider, jwk.to_string().as_bytes());
        assert_eq!(read(&good).unwrap().algorithm(), Algorithm::Es384);
        assert_eq!(read(&with(&good, "alg", Value::Null)).unwrap().algorithm(), Algorithm::Es384);
        for (member, value, kind) in [
            ("x", longer(&good["x"]), ErrorKind::KeyFormat),
            ("x", json!(encode([1; 47])), ErrorKind::KeyFormat),
            ("y", json!(encode([1; 32])), ErrorKind::KeyFormat),
            ("y", json!(encode([1; 48])), ErrorKind::KeyUnusable),
            ("crv", json!("P-256"), ErrorKind::KeyUse),
            ("alg", json!("ES256"), ErrorKind::KeyUse),
        ] {
            assert_eq!(read(&with(&good, member, value)).unwrap_err().kind(), kind, "{member}");
        }
        let token = jws::sign(&key, None, b"payload").unwrap();
        let keys = KeySet::new([key.verifying()]).unwrap();
        assert!(jws::verify(&keys, RawToken::new(token.expose()), &Limits::DEFAULT).is_ok());
    }
}

#[test]
fn row_07_a_secret_is_as_long_as_its_tags() {
    for (algorithm, least) in [(Algorithm::Hs256, 32), (Algorithm::Hs384, 48), (Algorithm::Hs512, 64)] {
        for provider in providers() {
            let made =
                |length| SigningKey::hmac(&*provider, algorithm, KID, &SecretBytes::new(vec![0xa7; length]));
            for length in [0, 1, 31, least - 1] {
                assert_eq!(
                    made(length).unwrap_err().kind(),
                    ErrorKind::SecretTooShort,
                    "{algorithm:?} {length}"
                );
                let jwk = json!({"kty": "oct", "alg": algorithm.name(), "kid": "k", "k": encode(vec![0xa7; length])});
                let read = SigningKey::from_jwk(&*provider, jwk.to_string().as_bytes());
                assert_eq!(read.unwrap_err().kind(), ErrorKind::SecretTooShort);
            }
            let key = made(least).unwrap();
            let again = SigningKey::from_jwk(&*provider, key.to_private_jwk().expose().as_bytes()).unwrap();
            assert_eq!((again.to_private_jwk(), again.algorithm()), (key.to_private_jwk(), algorithm));
            let token = jws::sign(&key, None, b"payload").unwrap();
            let keys = KeySet::new([again.verifying()]).unwrap();
            assert!(jws::verify(&keys, RawToken::new(token.expose()), &Limits::DEFAULT).is_ok());
        }
    }
    let error =
        SigningKey::hmac(&Ring::new(), Algorithm::Es256, KID, &SecretBytes::new(vec![7; 64])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyUse);
}

#[test]
fn ed25519_has_two_names_and_both_are_issued_and_verified() {
    for provider in providers() {
        let key = |provider: &dyn Provider| {
            SigningKey::generate(provider, Algorithm::EdDsa, Some(KID), &SeededEntropy::new(3)).unwrap()
        };
        let (old, new) = (key(&*provider), key(&*provider).fully_specified_name());
        for (key, name) in [(&old, "EdDSA"), (&new, "Ed25519")] {
            assert_eq!((key.algorithm_name(), key.verifying().algorithm_name()), (name, name));
            let token = jws::sign(key, None, b"payload").unwrap();
            let header: Value =
                serde_json::from_slice(&decode(token.expose().split('.').next().unwrap())).unwrap();
            assert_eq!(header["alg"], name);
            // Whichever name the key was published under.
            for published in [&old, &new] {
                let jwk = published.verifying().to_public_jwk().unwrap();
                assert!(jwk.contains(&format!("\"alg\":\"{}\"", published.algorithm_name())));
                let read = VerifyingKey::from_jwk(&*provider, jwk.as_bytes()).unwrap();
                assert_eq!(read.to_public_jwk().unwrap(), jwk);
                let keys = KeySet::new([read]).unwrap();
                let payload = jws::verify(&keys, RawToken::new(token.expose()), &Limits::DEFAULT).unwrap();
                assert_eq!(payload.algorithm(), Algorithm::EdDsa);
            }
            // The name travels with the private key.
            let again = SigningKey::from_jwk(&*provider, key.to_private_jwk().expose().as_bytes()).unwrap();
            assert_eq!(again.algorithm_name(), name);
        }
        assert_eq!(old.verifying().thumbprint(&*provider), new.verifying().thumbprint(&*provider));
    }
}

/// RFC 7515 A.2.
const A2_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";

#[test]
fn rfc_7515_a_2_rs256() {
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let jwk = format!(r#"{{"kty":"RSA","n":"{A2_N}","e":"AQAB"}}"#);
    let rules = KeyRules::strict().danger_rsa_pkcs1().rsa_without_alg(Algorithm::Rs256);
    let key = VerifyingKey::from_jwk_with(&Ring::new(), jwk.as_bytes(), &rules).unwrap();
    let keys = KeySet::new([key]).unwrap();
    let payload = jws::verify(&keys, RawToken::new(token), &Limits::DEFAULT).unwrap();
    assert!(payload.as_bytes().starts_with(b"{\"iss\":\"joe\""));
    let forged = token.replace(".cC4h", ".cC4i");
    let refused = jws::verify(&keys, RawToken::new(&forged), &Limits::DEFAULT).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Signature);
    assert_eq!(
        VerifyingKey::from_jwk(&Ring::new(), jwk.as_bytes()).unwrap_err().kind(),
        ErrorKind::KeyAlgorithm
    );
}

/// The same key in RFC 7517 A.1 and RFC 7638 §3.1.
const A1_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

#[test]
fn rfc_7638_3_1_thumbprint_of_an_rsa_key() {
    let jwk = format!(r#"{{"kty":"RSA","n":"{A1_N}","e":"AQAB","alg":"RS256","kid":"2011-04-29"}}"#);
    let rules = KeyRules::strict().danger_rsa_pkcs1();
    let key = VerifyingKey::from_jwk_with(&Ring::new(), jwk.as_bytes(), &rules).unwrap();
    assert_eq!(key.thumbprint(&Ring::new()).unwrap(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    // The thumbprint is that of the key, whatever it is for, and names one that has no other name.
    let pss = jwk.replace("RS256", "PS256");
    let pss = VerifyingKey::from_jwk(&Ring::new(), pss.as_bytes()).unwrap();
    assert_eq!(pss.thumbprint(&Ring::new()), key.thumbprint(&Ring::new()));
    let unnamed = with(&private_jwk(Algorithm::Ps256), "kid", Value::Null).to_string();
    let unnamed = SigningKey::from_jwk(&Ring::new(), unnamed.as_bytes()).unwrap();
    assert_eq!(Some(unnamed.kid()), unnamed.verifying().thumbprint(&Ring::new()).as_deref());
}

#[test]
fn rfc_7517_a_1_the_rsa_key_is_taken_when_asked_for() {
    let set = format!(
        r#"{{"keys":[
        {{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"}},
        {{"kty":"RSA","n":"{A1_N}","e":"AQAB","alg":"RS256","kid":"2011-04-29"}}]}}"#
    );
    let rules = KeyRules::strict().danger_rsa_pkcs1();
    let (keys, skipped) = KeySet::from_jwks_with(&Ring::new(), set.as_bytes(), &rules).unwrap();
    assert_eq!(
        keys.keys().map(|key| (key.kid(), key.algorithm())).collect::<Vec<_>>(),
        [(Some("2011-04-29"), Algorithm::Rs256)]
    );
    assert_eq!((skipped.len(), skipped[0].reason, skipped[0].member), (1, SkipReason::Use, Some("use")));
    assert_eq!(KeySet::from_jwks(&Ring::new(), set.as_bytes()).unwrap_err().kind(), ErrorKind::KeyNone);
}

/// What the key vectors of project Wycheproof try, by their names, with keys of ours.
#[test]
fn wycheproof_key_sets_are_refused_by_name() {
    let provider = Ring::new();
    let secret = |kid: &str, alg: &str, length| json!({"kty": "oct", "use": "sig", "alg": alg, "kid": kid, "k": encode(vec![0x5a; length])});
    let public = |member: &str, value: Value| with(&public_jwk(Algorithm::Rs256), member, value);
    let ec = |member: &str, value: Value| {
        let key =
            SigningKey::generate(&provider, Algorithm::Es256, Some("ec"), &SeededEntropy::new(4)).unwrap();
        with(&serde_json::from_str(&key.verifying().to_public_jwk().unwrap()).unwrap(), member, value)
    };
    let rules = KeyRules::strict().danger_rsa_pkcs1();
    let read = |keys: &[Value]| {
        let set = json!({"keys": keys}).to_string();
        match KeySet::from_secret_jwks(&provider, set.as_bytes()) {
            Err(error) if error.kind() == ErrorKind::KeyMixed => {
                KeySet::from_jwks_with(&provider, set.as_bytes(), &rules).map_err(|error| error.kind())
            }
            read => read.map_err(|error| error.kind()),
        }
    };
    let refused = |name: &str, keys: &[Value], expected: &[ErrorKind]| {
        let kind = read(keys).err().unwrap_or_else(|| panic!("{name} is accepted"));
        assert!(expected.contains(&kind), "{name}: {kind:?}");
    };
    let none = [ErrorKind::KeyNone];
    let short = [ErrorKind::SecretTooShort];
    assert!(read(&[secret("a", "HS256", 32), secret("b", "HS256", 32)]).is_ok(), "jws_keyset");
    assert!(read(&[public("use", json!("sig"))]).is_ok(), "rs256");
    for alg in ["HS256", "HS384", "HS512"] {
        assert!(read(&[secret("a", alg, 65)]).is_ok(), "long_key");
        refused("empty_key", &[secret("a", alg, 0)], &short);
    }
    refused(
        "jws_mixedSymmetryKeyset",
        &[secret("a", "HS256", 32), ec("use", json!("sig"))],
        &[ErrorKind::KeySecrecy],
    );
    refused(
        "jws_duplicate_kid",
        &[secret("a", "HS256", 32), secret("a", "HS256", 33)],
        &[ErrorKind::KeyDuplicate],
    );
    refused("rejectsWrongUse", &[with(&public("use", json!("enc")), "alg", json!("RSA1_5"))], &none);
    refused("jws_rsa_roca_key", &[public("n", json!(encode(roca())))], &none);
    refused("keysize_too_small", &[public("n", json!(encode([0xff; 128])))], &none);
    refused("exponentOne", &[public("e", json!("AQ"))], &none);
    refused("key_too_short", &[secret("a", "HS256", 31)], &short);
    refused("key_too_short", &[secret("a", "HS384", 47)], &short);
    refused("key_too_short", &[secret("a", "HS512", 63)], &short);
    refused("wrong_algorithm", &[ec("alg", json!("ES521"))], &none);
    refused("invalid_algorithm", &[ec("alg", json!("ES224"))], &none);
    refused("invalid_use", &[ec("use", json!("enc"))], &none);
    refused("invalid_point", &[ec("y", json!(encode([1; 32])))], &none);
    refused("wrong_curve", &[ec("crv", json!("P-384"))], &none);
    refused("wrong_kty", &[ec("kty", json!("RSA"))], &none);
    refused("invalid_aes_gcm_key", &[secret("a", "A256GCM", 32)], &none);
    refused("invalid_aes_kw_key", &[secret("a", "A256KW", 32)], &none);
}

#[test]
fn nothing_of_an_rsa_key_is_shown() {
    let key = rsa(Algorithm::Ps256);
    let jwk = private_jwk(Algorithm::Ps256);
    let secrets: Vec<&str> =
        ["d", "p", "q", "dp", "dq", "qi"].map(|member| &jwk[member].as_str().unwrap()[..20]).to_vec();
    let mut shown = format!(
        "{key:?} {key:#?} {:?} {:?} {:?}",
        key.verifying(),
        key.to_private_jwk(),
        key.to_pem().unwrap()
    );
    for member in ["d", "p", "q", "dp", "dq", "qi", "n"] {
        let broken = with(&jwk, member, json!(format!("{}=", jwk[member].as_str().unwrap())));
        let error = SigningKey::from_jwk(&Ring::new(), broken.to_string().as_bytes()).unwrap_err();
        shown.push_str(&format!("{error} {error:?} {error:#?}"));
    }
    assert!(secrets.iter().all(|secret| !shown.contains(secret)));
    assert!(!key.verifying().to_public_jwk().unwrap().contains(secrets[0]));
}

/// The second key of RFC 7517 A.2: the private half of the one in A.1.
const A2_PRIVATE: &str = r#""d":"X4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJoVH-HLLKD9M7dx5oo7GURknchnrRweUkC7hT5fJLM0WbFAKNLWY2vv7B6NqXSzUvxT0_YSfqijwp3RTzlBaCxWp4doFk5N2o8Gy_nHNKroADIkJ46pRUohsXywbReAdYaMwFs9tv8d_cPVY3i07a3t8MN6TNwm0dSawm9v47UiCl3Sk5ZiG7xojPLu4sbg1U2jx4IBTNBznbJSzFHK66jT8bgkuqsk0GjskDJk19Z4qwjwbsnn4j2WBii3RL-Us2lGVkY8fkFzme1z0HbIkfz0Y6mqnOYtqc0X4jfcKoAC8Q",
    "p":"83i-7IvMGXoMXCskv73TKr8637FiO7Z27zv8oj6pbWUQyLPQBQxtPVnwD20R-60eTDmD2ujnMt5PoqMrm8RfmNhVWDtjjMmCMjOpSXicFHj7XOuVIYQyqVWlWEh6dN36GVZYk93N8Bc9vY41xy8B9RzzOGVQzXvNEvn7O0nVbfs",
    "q":"3dfOR9cuYq-0S-mkFLzgItgMEfFzB2q3hWehMuG0oCuqnb3vobLyumqjVZQO1dIrdwgTnCdpYzBcOfW5r370AFXjiWft_NGEiovonizhKpo9VVS78TzFgxkIdrecRezsZ-1kYd_s1qDbxtkDEgfAITAG9LUnADun4vIcb6yelxk",
    "dp":"G4sPXkc6Ya9y8oJW9_ILj4xuppu0lzi_H7VTkS8xj5SdX3coE0oimYwxIi2emTAue0UOa5dpgFGyBJ4c8tQ2VF402XRugKDTP8akYhFo5tAA77Qe_NmtuYZc3C3m3I24G2GvR5sSDxUyAN2zq8Lfn9EUms6rY3Ob8YeiKkTiBj0",
    "dq":"s9lAH9fggBsoFR8Oac2R_E2gw282rT2kGOAhvIllETE1efrA6huUUvMfBcMpn8lqeW6vzznYY5SSQF7pMdC_agI3nG8Ibp1BUb0JUiraRNqUfLhcQb_d9GF4Dh7e74WbRsobRonujTYN1xCaP6TO61jvWrX-L18txXw494Q_cgk",
    "qi":"GyM_p6JrXySiz1toFgKbWV-JdI3jQ4ypu9rbMWx3rQJBfmt0FoYzgUIZEVFEcOqwemRN81zoDAaa-Bk0KWNGDjJHZDdDmFhW3AN7lI-puxk_mHZGJ11rxyR8O55XLSe3SPmRfKwZI6yU24ZxvQKFYItdldUKGzO6Ia6zTKhAVRU""#;

#[test]
fn rfc_7517_a_2_a_private_rsa_key_signs_what_its_public_half_verifies() {
    let public = format!(r#"{{"kty":"RSA","n":"{A1_N}","e":"AQAB","alg":"RS256","kid":"2011-04-29"}}"#);
    let private = public.replacen('{', &format!("{{{A2_PRIVATE},"), 1);
    let ring = Ring::new();
    let refused = SigningKey::from_jwk(&ring, private.as_bytes()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::KeyRsaPkcs1, "RS256 has to be asked for");
    let rules = KeyRules::strict().danger_rsa_pkcs1();
    let key = SigningKey::from_jwk_with(&ring, private.as_bytes(), &rules).unwrap();
    assert_eq!((key.kid(), key.algorithm()), ("2011-04-29", Algorithm::Rs256));
    let token = jws::sign(&key, None, b"payload").unwrap();
    let known = VerifyingKey::from_jwk_with(&ring, public.as_bytes(), &rules).unwrap();
    let keys = KeySet::new([known]).unwrap();
    let payload = jws::verify(&keys, RawToken::new(token.expose()), &Limits::DEFAULT).unwrap();
    assert_eq!(payload.as_bytes(), b"payload");
    // Written again it is the same key.
    let again = SigningKey::from_jwk_with(&ring, key.to_private_jwk().expose().as_bytes(), &rules).unwrap();
    assert_eq!(again.to_private_jwk(), key.to_private_jwk());
    let read = |jwk: &str| -> Value { serde_json::from_str(jwk).unwrap() };
    assert_eq!(read(key.to_private_jwk().expose()), with(&read(&private), "use", json!("sig")));
    // A part that is another's is refused; `d` itself ring never looks at.
    for member in ["p", "q", "dp", "dq", "qi"] {
        let mut other = read(&private);
        let changed = other[member].as_str().unwrap().replacen(['X', '8', '3', 'G', 's'], "B", 1);
        other[member] = changed.into();
        let refused = SigningKey::from_jwk_with(&ring, other.to_string().as_bytes(), &rules);
        assert!(refused.is_err(), "{member}");
    }
}
