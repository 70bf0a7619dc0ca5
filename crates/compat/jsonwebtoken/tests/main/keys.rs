//! Every constructor, and that none of the keys shows its secret.

use bartizan_compat_jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, errors::ErrorKind,
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use serde_json::Value;

use crate::support::{SECRET, claims, engine, key_file, refused_key, signs, verifies};

/// Whether what one signs the other verifies.
fn fit(algorithm: Algorithm, signs: &EncodingKey, verifies: &DecodingKey) {
    let token = encode(&Header::new(algorithm), &claims(), signs).unwrap();
    decode::<Value>(&token, verifies, &Validation::new(algorithm)).unwrap();
}

#[test]
fn secrets_in_base64_are_the_same_secrets() {
    let (standard, urlsafe) = (STANDARD.encode(SECRET), URL_SAFE.encode(SECRET));
    assert_ne!(standard, urlsafe);
    let (engine, algorithm) = (engine(), Algorithm::HS512);
    let verifies = DecodingKey::from_secret(&engine, algorithm, SECRET).unwrap();
    fit(algorithm, &EncodingKey::from_base64_secret(&engine, algorithm, &standard).unwrap(), &verifies);
    fit(
        algorithm,
        &EncodingKey::from_urlsafe_base64_secret(&engine, algorithm, &urlsafe).unwrap(),
        &verifies,
    );
    let signs = EncodingKey::from_secret(&engine, algorithm, SECRET).unwrap();
    fit(algorithm, &signs, &DecodingKey::from_base64_secret(&engine, algorithm, &standard).unwrap());
    fit(algorithm, &signs, &DecodingKey::from_urlsafe_base64_secret(&engine, algorithm, &urlsafe).unwrap());

    let no_base64 = (ErrorKind::InvalidKeyFormat, "base64");
    for (made, other) in [
        (EncodingKey::from_base64_secret(&engine, algorithm, &urlsafe), &standard),
        (EncodingKey::from_base64_secret(&engine, algorithm, "no base64!"), &standard),
    ] {
        assert_eq!(refused_key(made), no_base64);
        assert_eq!(
            refused_key(EncodingKey::from_urlsafe_base64_secret(&engine, algorithm, other)),
            no_base64
        );
    }
    assert_eq!(refused_key(DecodingKey::from_base64_secret(&engine, algorithm, &urlsafe)), no_base64);
    assert_eq!(
        refused_key(DecodingKey::from_urlsafe_base64_secret(&engine, algorithm, &standard)),
        no_base64
    );
}

#[test]
fn rsa_keys_of_every_form() {
    let (engine, algorithm) = (engine(), Algorithm::PS256);
    let signing = [
        EncodingKey::from_rsa_pem(&engine, algorithm, &key_file("rsa.pkcs8.pem")),
        EncodingKey::from_rsa_pem(&engine, algorithm, &key_file("rsa.pkcs1.pem")),
        EncodingKey::from_rsa_der(&engine, algorithm, &key_file("rsa.pkcs1.der")),
    ];
    let jwk: Value = serde_json::from_slice(&key_file("rsa.jwk")).unwrap();
    let (n, e) = (jwk["n"].as_str().unwrap(), jwk["e"].as_str().unwrap());
    let raw = |text| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap();
    let verifying = [
        DecodingKey::from_rsa_pem(&engine, algorithm, &key_file("rsa.spki.pem")),
        DecodingKey::from_rsa_pem(&engine, algorithm, &key_file("rsa.pkcs1-public.pem")),
        DecodingKey::from_rsa_der(&engine, algorithm, &key_file("rsa.pkcs1-public.der")),
        DecodingKey::from_rsa_components(&engine, algorithm, n, e),
        DecodingKey::from_rsa_raw_components(&engine, algorithm, &raw(n), &raw(e)),
        DecodingKey::from_jwk(&engine, &serde_json::from_value(jwk.clone()).unwrap()),
    ];
    let [first, ..] = &signing;
    for verifying in &verifying {
        fit(algorithm, first.as_ref().unwrap(), verifying.as_ref().unwrap());
    }
    for signing in &signing {
        fit(algorithm, signing.as_ref().unwrap(), verifying[0].as_ref().unwrap());
    }
    let padded = [&[0], &raw(n)[..]].concat();
    refused_key(DecodingKey::from_rsa_raw_components(&engine, algorithm, &padded, &raw(e)));
}

#[test]
fn ec_keys_of_every_form() {
    let engine = engine();
    let jwk: Value = serde_json::from_slice(&key_file("p256.jwk")).unwrap();
    let (x, y) = (jwk["x"].as_str().unwrap(), jwk["y"].as_str().unwrap());
    let spki = key_file("p256.spki.der");
    let verifying = [
        DecodingKey::from_ec_pem(&engine, &key_file("p256.spki.pem")),
        DecodingKey::from_ec_der(&engine, &spki),
        DecodingKey::from_ec_der(&engine, &spki[spki.len() - 65..]),
        DecodingKey::from_ec_components(&engine, x, y),
        DecodingKey::from_jwk(&engine, &serde_json::from_value(jwk.clone()).unwrap()),
    ];
    for signing in [
        EncodingKey::from_ec_pem(&engine, &key_file("p256.pkcs8.pem")),
        EncodingKey::from_ec_pem(&engine, &key_file("p256.sec1.pem")),
        EncodingKey::from_ec_der(&engine, &key_file("p256.pkcs8.der")),
    ] {
        for verifying in &verifying {
            fit(Algorithm::ES256, signing.as_ref().unwrap(), verifying.as_ref().unwrap());
        }
    }
    // Off the curve, of no curve's length, and of another kind.
    refused_key(DecodingKey::from_ec_components(&engine, y, x));
    refused_key(DecodingKey::from_ec_components(&engine, &x[1..], y));
    assert_eq!(refused_key(DecodingKey::from_ec_pem(&engine, &key_file("rsa.spki.pem"))).1, "key_use");
    assert_eq!(refused_key(EncodingKey::from_ec_pem(&engine, &key_file("ed25519.pkcs8.pem"))).1, "key_use");
}

#[test]
fn ed25519_keys_of_every_form() {
    let (engine, spki) = (engine(), key_file("ed25519.spki.der"));
    let raw = &spki[spki.len() - 32..];
    for signing in [
        EncodingKey::from_ed_pem(&engine, &key_file("ed25519.pkcs8.pem")),
        EncodingKey::from_ed_der(&engine, &key_file("ed25519.pkcs8.der")),
    ] {
        for verifying in [
            DecodingKey::from_ed_pem(&engine, &key_file("ed25519.spki.pem")),
            DecodingKey::from_ed_der(&engine, &spki),
            DecodingKey::from_ed_der(&engine, raw),
            DecodingKey::from_ed_components(&engine, &crate::support::base64url(raw)),
        ] {
            fit(Algorithm::EdDSA, signing.as_ref().unwrap(), &verifying.unwrap());
        }
    }
    assert_eq!(refused_key(EncodingKey::from_ed_pem(&engine, &key_file("p256.pkcs8.pem"))).1, "key_use");
    assert_eq!(refused_key(DecodingKey::from_ed_pem(&engine, &key_file("p256.spki.pem"))).1, "key_use");
}

#[test]
fn keys_show_no_secret() {
    let shown = format!("{:?} {:?} {:?}", signs(), verifies(), engine());
    assert!(shown.contains("Hs256") && shown.contains("ring"));
    let short = EncodingKey::from_secret(&engine(), Algorithm::HS256, b"short canary").err().unwrap();
    let encoded = EncodingKey::from_base64_secret(&engine(), Algorithm::HS256, "canary!").err().unwrap();
    for text in [shown, format!("{short} {short:?}"), format!("{encoded} {encoded:?}")] {
        assert!(!text.contains("canary") && !text.contains("[1, 99") && !text.contains("unnamed"), "{text}");
    }
}
