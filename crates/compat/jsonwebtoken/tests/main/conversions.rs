//! Algorithms, keys and JWKs, there and back.

use bartizan_compat_jsonwebtoken::{Algorithm, convert, errors::ErrorKind, jwk};
use bartizan_core::SecretBytes;
use bartizan_crypto_ring::Ring;
use bartizan_tokens::{self as tokens, KeySet, SigningKey, VerifyingKey, jws};
use serde_json::json;

use crate::support::{SECRET, base64url, engine, key_file, refused_key};

/// One key of each family, and for RSA one of each scheme.
fn keys() -> Vec<SigningKey> {
    use tokens::Algorithm as Ours;
    let pem =
        |algorithm, file| SigningKey::from_pem(&Ring::new(), algorithm, Some(file), &key_file(file)).unwrap();
    let rsa =
        tokens::key_file::private_from_pem(&Ring::new(), Ours::Rs256, &key_file("rsa.pkcs8.pem")).unwrap();
    vec![
        SigningKey::hmac(&Ring::new(), Ours::Hs384, "secret", &SecretBytes::new(SECRET.to_vec())).unwrap(),
        pem(Ours::Es256, "p256.pkcs8.pem"),
        pem(Ours::Es384, "p384.pkcs8.pem"),
        pem(Ours::EdDsa, "ed25519.pkcs8.pem"),
        pem(Ours::Ps512, "rsa.pkcs8.pem"),
        SigningKey::danger_rsa_pkcs1(&Ring::new(), Some("rsa"), &rsa).unwrap(),
    ]
}

fn fit(signs: &SigningKey, verifies: VerifyingKey) {
    let token = jws::sign(signs, None, b"payload").unwrap();
    let keys = KeySet::new([verifies]).unwrap();
    jws::verify(&keys, bartizan_core::RawToken::new(token.expose()), &tokens::Limits::DEFAULT).unwrap();
}

#[test]
fn algorithms_go_there_and_back() {
    for ours in tokens::Algorithm::ALL {
        let theirs = convert::foreign_algorithm(ours).unwrap();
        assert_eq!(format!("{theirs:?}"), ours.name());
        assert_eq!(convert::algorithm(theirs).unwrap(), ours);
    }
}

#[test]
fn signing_keys_go_there_and_back() {
    let engine = engine().danger_rsa_pkcs1();
    for key in keys() {
        let theirs = convert::encoding_key(&engine, &key).unwrap();
        let algorithm = convert::foreign_algorithm(key.algorithm()).unwrap();
        assert_eq!(theirs.family(), algorithm.family());
        let back = convert::from_encoding_key(&engine, algorithm, Some(key.kid()), &theirs).unwrap();
        assert_eq!(back.to_private_jwk(), key.to_private_jwk());
        fit(&back, key.verifying());

        let other = if algorithm == Algorithm::ES256 { Algorithm::EdDSA } else { Algorithm::ES256 };
        if other.family() != algorithm.family() {
            assert_eq!(
                refused_key(convert::from_encoding_key(&engine, other, Some("k"), &theirs)).1,
                "key_use"
            );
        }
    }
}

#[test]
fn their_encoding_keys_have_the_bytes_that_jsonwebtoken_reads() {
    let engine = engine();
    let bytes = |key: &SigningKey| convert::encoding_key(&engine, key).unwrap().as_bytes().to_vec();
    let theirs =
        |made: jsonwebtoken::errors::Result<jsonwebtoken::EncodingKey>| made.unwrap().as_bytes().to_vec();
    let keys = keys();
    assert_eq!(bytes(&keys[0]), SECRET);
    for (key, family) in [(&keys[1], "p256"), (&keys[2], "p384")] {
        let pem = key_file(&format!("{family}.pkcs8.pem"));
        assert_eq!(bytes(key), theirs(jsonwebtoken::EncodingKey::from_ec_pem(&pem)));
    }
    assert_eq!(
        bytes(&keys[3]),
        theirs(jsonwebtoken::EncodingKey::from_ed_pem(&key_file("ed25519.pkcs8.pem")))
    );
    assert_eq!(bytes(&keys[4]), theirs(jsonwebtoken::EncodingKey::from_rsa_pem(&key_file("rsa.pkcs8.pem"))));
    assert_eq!(bytes(&keys[5]), key_file("rsa.pkcs1.der"));
}

#[test]
fn their_keys_become_ours_as_they_are_made_there() {
    use jsonwebtoken::{DecodingKey, EncodingKey};
    let engine = engine();
    let keys = keys();
    let theirs = [
        (0, Algorithm::HS384, DecodingKey::from_secret(SECRET)),
        (1, Algorithm::ES256, DecodingKey::from_ec_pem(&key_file("p256.spki.pem")).unwrap()),
        (2, Algorithm::ES384, DecodingKey::from_ec_pem(&key_file("p384.spki.pem")).unwrap()),
        (3, Algorithm::EdDSA, DecodingKey::from_ed_pem(&key_file("ed25519.spki.pem")).unwrap()),
        (4, Algorithm::PS512, DecodingKey::from_rsa_pem(&key_file("rsa.spki.pem")).unwrap()),
        (4, Algorithm::PS512, DecodingKey::from_rsa_der(&key_file("rsa.pkcs1-public.der"))),
    ];
    for (index, algorithm, theirs) in &theirs {
        fit(&keys[*index], convert::from_decoding_key(&engine, *algorithm, None, theirs).unwrap());
    }
    let (_, _, p256) = &theirs[1];
    assert_eq!(refused_key(convert::from_decoding_key(&engine, Algorithm::ES384, None, p256)).1, "key_use");
    let (_, _, rsa) = &theirs[4];
    let refused = refused_key(convert::from_decoding_key(&engine, Algorithm::RS256, None, rsa));
    assert_eq!(refused, (ErrorKind::UnsupportedAlgorithm, "key_rsa_pkcs1"));

    // What they take without a look is looked at.
    let secret = EncodingKey::from_secret(b"short");
    let short = |made| refused_key(made).1;
    assert_eq!(
        short(convert::from_encoding_key(&engine, Algorithm::HS256, Some("k"), &secret)),
        "secret_too_short"
    );
    assert_eq!(short(convert::from_encoding_key(&engine, Algorithm::HS256, None, &secret)), "key_unnamed");
    for broken in [DecodingKey::from_ec_der(b"x"), DecodingKey::from_ec_der(&[4; 65])] {
        refused_key(convert::from_decoding_key(&engine, Algorithm::ES256, None, &broken));
    }
    refused_key(convert::from_decoding_key(
        &engine,
        Algorithm::EdDSA,
        None,
        &DecodingKey::from_ed_der(&[0; 32]),
    ));
    let raw = DecodingKey::from_rsa_raw_components(&[0xff; 128], &[1, 0, 1]);
    assert_eq!(refused_key(convert::from_decoding_key(&engine, Algorithm::PS256, None, &raw)).1, "key_size");
}

#[test]
fn verifying_keys_and_jwks_go_there_and_back() {
    let engine = engine().danger_rsa_pkcs1();
    for key in keys().iter().skip(1) {
        let verifying = key.verifying();
        let jwk = convert::jwk(&verifying).unwrap();
        assert!(jwk.is_supported() && jwk.common.key_id.as_deref() == Some(key.kid()));
        let back = convert::verifying_key(&engine, &jwk).unwrap();
        assert_eq!(back.to_public_jwk().unwrap(), verifying.to_public_jwk().unwrap());

        let theirs = convert::decoding_key(&verifying).unwrap();
        let algorithm = convert::foreign_algorithm(key.algorithm()).unwrap();
        let back = convert::from_decoding_key(&engine, algorithm, Some(key.kid()), &theirs).unwrap();
        assert_eq!(back.to_public_jwk().unwrap(), verifying.to_public_jwk().unwrap());
    }
    let secret = keys()[0].verifying();
    assert_eq!(refused_key(convert::jwk(&secret)).1, "key_secrecy");
    assert_eq!(refused_key(convert::decoding_key(&secret)).1, "key_secrecy");
}

#[test]
fn ed25519_under_its_newer_name_is_eddsa_there() {
    let key = keys().remove(3).fully_specified_name().verifying();
    assert_eq!(key.algorithm_name(), "Ed25519");
    let jwk = convert::jwk(&key).unwrap();
    assert_eq!(jwk.common.key_algorithm, Some(jwk::KeyAlgorithm::EdDSA));
}

#[test]
fn sets_go_there_and_back_and_what_is_left_out_is_named() {
    let engine = engine().danger_rsa_pkcs1();
    let ours = KeySet::new(keys().iter().skip(1).map(SigningKey::verifying)).unwrap();
    let mut set = convert::jwk_set(&ours).unwrap();
    assert_eq!(set.keys.len(), 5);
    let (back, skipped) = convert::key_set(&engine, &set).unwrap();
    assert_eq!((back.to_jwks().unwrap(), skipped.len()), (ours.to_jwks().unwrap(), 0));

    let encrypts =
        json!({"kty": "RSA", "alg": "RSA-OAEP", "use": "enc", "kid": "e", "n": "AQAB", "e": "AQAB"});
    set.keys.push(serde_json::from_value(encrypts).unwrap());
    let (_, skipped) = convert::key_set(&engine, &set).unwrap();
    assert_eq!(skipped.iter().map(|key| key.index).collect::<Vec<_>>(), [5]);

    let secret = json!({"kty": "oct", "alg": "HS256", "kid": "s", "k": base64url(SECRET)});
    set.keys.push(serde_json::from_value(secret).unwrap());
    assert_eq!(refused_key(convert::key_set(&engine, &set)).1, "key_secrecy");
}
