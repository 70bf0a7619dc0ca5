//! Keys in and out.

use bartizan_core::{Fault, SecretArray};
use bartizan_crypto::{PrivateKey, PublicKey, SignatureAlgorithm};
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;
use bartizan_testkit::{BrokenEntropy, SeededEntropy};
use bartizan_tokens::{Algorithm, ErrorKind, SigningKey, VerifyingKey, jws};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::support::{ALGORITHMS, KID, SECRET, encode, private_key, providers, signing_key};

#[test]
fn asvs_11_6_1_keys_are_generated_for_each_algorithm_and_sign() {
    for provider in providers() {
        for algorithm in ALGORITHMS {
            let key = SigningKey::generate(&*provider, algorithm, None, &SeededEntropy::new(1)).unwrap();
            assert_eq!(key.algorithm(), algorithm);
            // A thumbprint has 256 bits, a random id 128.
            assert_eq!(key.kid().len(), if algorithm.is_symmetric() { 22 } else { 43 });
            let token = jws::sign(&key, None, b"payload").unwrap();
            let keys = bartizan_tokens::KeySet::new([key.verifying()]).unwrap();
            let raw = bartizan_core::RawToken::new(token.expose());
            assert_eq!(
                jws::verify(&keys, raw, &bartizan_tokens::Limits::DEFAULT).unwrap().as_bytes(),
                b"payload"
            );
        }
        for kid in [None, Some(KID)] {
            let error = SigningKey::generate(&*provider, Algorithm::Hs256, kid, &BrokenEntropy).unwrap_err();
            assert_eq!((error.kind(), error.fault()), (ErrorKind::Entropy, Fault::Backend));
        }
        let error = SigningKey::generate(&*provider, Algorithm::EdDsa, None, &BrokenEntropy).unwrap_err();
        assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Entropy, true));
    }
}

#[test]
fn a_private_jwk_makes_the_same_key_again() {
    for provider in providers() {
        for algorithm in ALGORITHMS {
            let key = signing_key(&*provider, algorithm, "k\"\\é");
            let jwk = key.to_private_jwk();
            let again = SigningKey::from_jwk(&*provider, jwk.expose().as_bytes()).unwrap();
            assert_eq!((again.kid(), again.algorithm()), (key.kid(), algorithm));
            assert_eq!(again.to_private_jwk(), jwk);
            let json: Value = serde_json::from_str(jwk.expose()).unwrap();
            assert_eq!(
                (&json["alg"], &json["use"], &json["kid"]),
                (&json!(algorithm.name()), &json!("sig"), &json!("k\"\\é"))
            );
        }
    }
}

#[test]
fn a_public_jwk_has_no_secret_in_it() {
    for provider in providers() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
            let key = signing_key(&*provider, algorithm, KID);
            let jwk = key.verifying().to_public_jwk().unwrap();
            assert!(!jwk.contains(&encode(SECRET)) && !jwk.contains("\"d\""), "{jwk}");
            let again = VerifyingKey::from_jwk(&*provider, jwk.as_bytes()).unwrap();
            assert_eq!(again.to_public_jwk().unwrap(), jwk);
        }
        let secret = signing_key(&*provider, Algorithm::Hs256, KID).verifying();
        assert_eq!(secret.to_public_jwk().unwrap_err().kind(), ErrorKind::KeySecrecy);
        assert_eq!(secret.thumbprint(&*provider), None);
    }
}

/// A good JWK with one member changed, or taken out with `null`.
fn changed(jwk: &str, member: &str, value: Value) -> String {
    let mut jwk: Value = serde_json::from_str(jwk).unwrap();
    let members = jwk.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(member)
    } else {
        members.insert(member.into(), value)
    };
    jwk.to_string()
}

#[test]
fn a_public_jwk_says_one_thing() {
    let es256 = signing_key(&Ring::new(), Algorithm::Es256, KID).verifying().to_public_jwk().unwrap();
    let eddsa = signing_key(&Ring::new(), Algorithm::EdDsa, KID).verifying().to_public_jwk().unwrap();
    let coordinate = encode([1; 32]);
    let cases = [
        (&es256, "alg", json!("ES384"), ErrorKind::KeyUse),
        (&es256, "alg", json!("ES521"), ErrorKind::KeyUnsupported),
        (&es256, "alg", json!("none"), ErrorKind::KeyUnsupported),
        (&es256, "alg", json!("EdDSA"), ErrorKind::KeyUse),
        (&es256, "alg", json!("HS256"), ErrorKind::KeyUse),
        (&eddsa, "alg", json!("ES256"), ErrorKind::KeyUse),
        (&eddsa, "alg", json!("ECDH-ES"), ErrorKind::KeyUnsupported),
        (&es256, "alg", json!(1), ErrorKind::KeyFormat),
        (&es256, "use", json!("enc"), ErrorKind::KeyUse),
        (&es256, "use", json!("SIG"), ErrorKind::KeyUse),
        (&es256, "key_ops", json!(["sign"]), ErrorKind::KeyUse),
        (&es256, "key_ops", json!([]), ErrorKind::KeyUse),
        (&es256, "key_ops", json!(["encrypt", "deriveKey"]), ErrorKind::KeyUse),
        (&es256, "key_ops", json!(["verify", "verify"]), ErrorKind::KeyFormat),
        (&es256, "key_ops", json!("verify"), ErrorKind::KeyFormat),
        (&es256, "key_ops", json!([1]), ErrorKind::KeyFormat),
        (&es256, "crv", json!("P-384"), ErrorKind::KeyUse),
        (&es256, "crv", json!("secp256k1"), ErrorKind::KeyUnsupported),
        (&es256, "crv", json!("Ed25519"), ErrorKind::KeyUnsupported),
        (&es256, "crv", Value::Null, ErrorKind::KeyFormat),
        (&eddsa, "crv", json!("X25519"), ErrorKind::KeyUnsupported),
        (&eddsa, "crv", json!("Ed448"), ErrorKind::KeyUnsupported),
        (&eddsa, "kty", json!("EC"), ErrorKind::KeyUnsupported),
        (&es256, "kty", json!("RSA"), ErrorKind::KeyFormat),
        (&es256, "kty", json!("oct"), ErrorKind::KeySecrecy),
        (&es256, "kty", Value::Null, ErrorKind::KeyFormat),
        (&es256, "x", Value::Null, ErrorKind::KeyFormat),
        (&es256, "y", Value::Null, ErrorKind::KeyFormat),
        (&es256, "x", json!(encode([0; 33])), ErrorKind::KeyFormat),
        (&es256, "x", json!(encode([0; 31])), ErrorKind::KeyFormat),
        (&es256, "x", json!(format!("{coordinate}=")), ErrorKind::KeyFormat),
        (&es256, "x", json!(coordinate), ErrorKind::KeyUnusable),
        (&es256, "y", json!(encode([0xff; 32])), ErrorKind::KeyUnusable),
        (&eddsa, "y", json!(coordinate), ErrorKind::KeyFormat),
        (&eddsa, "x", json!(encode([0; 32])), ErrorKind::KeyUnusable),
        (&eddsa, "x", json!(encode([0xff; 32])), ErrorKind::KeyUnusable),
        (&es256, "kid", json!(""), ErrorKind::KeyFormat),
        (&es256, "kid", json!("k\n"), ErrorKind::KeyFormat),
        (&es256, "kid", json!("k".repeat(129)), ErrorKind::KeyFormat),
        (&es256, "kid", json!(1), ErrorKind::KeyFormat),
        (&es256, "n", json!("AQAB"), ErrorKind::KeyFormat),
        (&eddsa, "e", json!("AQAB"), ErrorKind::KeyFormat),
        (&es256, "d", json!(encode(SECRET)), ErrorKind::KeySecrecy),
        (&es256, "k", json!(encode(SECRET)), ErrorKind::KeySecrecy),
        (&eddsa, "d", json!(1), ErrorKind::KeySecrecy),
    ];
    for provider in providers() {
        for (good, member, value, kind) in &cases {
            assert!(VerifyingKey::from_jwk(&*provider, good.as_bytes()).is_ok());
            let error = VerifyingKey::from_jwk(&*provider, changed(good, member, value.clone()).as_bytes())
                .unwrap_err();
            assert_eq!((error.kind(), error.fault()), (*kind, Fault::Caller), "{member} {value}");
        }
        for (member, value) in [
            ("alg", Value::Null),
            ("use", Value::Null),
            ("kid", Value::Null),
            ("key_ops", json!(["verify"])),
            ("x5c", json!(["AA"])),
            ("key_ops", json!(["sign", "verify"])),
            ("note", json!({"a": [1]})),
        ] {
            assert!(
                VerifyingKey::from_jwk(&*provider, changed(&es256, member, value).as_bytes()).is_ok(),
                "{member}"
            );
        }
    }
}

#[test]
fn a_private_jwk_says_one_thing() {
    let provider = Ring::new();
    let jwk = |algorithm| signing_key(&provider, algorithm, KID).to_private_jwk().expose().to_owned();
    let (es256, eddsa, hs256) = (jwk(Algorithm::Es256), jwk(Algorithm::EdDsa), jwk(Algorithm::Hs256));
    let other = encode([9; 32]);
    for provider in providers() {
        for (good, member, value, kind) in [
            (&es256, "d", Value::Null, ErrorKind::KeySecrecy),
            (&es256, "d", json!(encode([0; 31])), ErrorKind::KeyFormat),
            (&es256, "d", json!(1), ErrorKind::KeyFormat),
            (&es256, "d", json!(other), ErrorKind::KeyUnusable),
            (&eddsa, "d", json!(other), ErrorKind::KeyUnusable),
            (&es256, "d", json!(encode([0xff; 32])), ErrorKind::KeyUnusable),
            (&es256, "d", json!(encode([0; 32])), ErrorKind::KeyUnusable),
            (&es256, "key_ops", json!(["verify"]), ErrorKind::KeyUse),
            (&es256, "use", json!("enc"), ErrorKind::KeyUse),
            (&hs256, "alg", json!("HS384"), ErrorKind::SecretTooShort),
            (&hs256, "alg", json!("HS512"), ErrorKind::SecretTooShort),
            (&hs256, "alg", json!("A256GCM"), ErrorKind::KeyUnsupported),
            (&hs256, "alg", json!("ES256"), ErrorKind::KeyUse),
            (&hs256, "alg", Value::Null, ErrorKind::KeyAlgorithm),
            (&hs256, "kid", Value::Null, ErrorKind::KeyUnnamed),
            (&hs256, "k", Value::Null, ErrorKind::KeyFormat),
            (&hs256, "crv", json!("P-256"), ErrorKind::KeyFormat),
        ] {
            assert!(SigningKey::from_jwk(&*provider, good.as_bytes()).is_ok());
            let error = SigningKey::from_jwk(&*provider, changed(good, member, value.clone()).as_bytes())
                .unwrap_err();
            assert_eq!(error.kind(), kind, "{member} {value}");
        }
        // A secret in escapes would leave copies that nobody wipes.
        let escaped = hs256.replacen("\"k\":\"", "\"k\":\"\\u0041", 1);
        assert_eq!(
            SigningKey::from_jwk(&*provider, escaped.as_bytes()).unwrap_err().kind(),
            ErrorKind::KeyFormat
        );
        let unnamed = changed(&eddsa, "kid", Value::Null);
        assert_eq!(SigningKey::from_jwk(&*provider, unnamed.as_bytes()).unwrap().kid().len(), 43);
    }
}

#[test]
fn a_kid_is_a_printable_name() {
    for provider in providers() {
        for kid in ["", "a\nb", "\0", "\u{202e}", &"k".repeat(129)] {
            let key = private_key(Algorithm::EdDsa);
            for refused in [
                SigningKey::from_private(&*provider, Some(kid), &key).err(),
                SigningKey::generate(&*provider, Algorithm::Hs256, Some(kid), &SeededEntropy::new(1)).err(),
                SigningKey::generate(&*provider, Algorithm::Es256, Some(kid), &SeededEntropy::new(1)).err(),
                VerifyingKey::from_public(&*provider, Some(kid), key.public()).err(),
            ] {
                assert_eq!(refused.unwrap().kind(), ErrorKind::Config, "{kid:?}");
            }
        }
    }
}

#[test]
fn halves_that_do_not_belong_together_are_no_key() {
    for provider in providers() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
            let mismatched =
                PrivateKey::new(SecretArray::new([3; 32]), private_key(algorithm).public().clone());
            let error = SigningKey::from_private(&*provider, None, &mismatched).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::KeyUnusable);
        }
        let off_curve =
            PublicKey::new(SignatureAlgorithm::EcdsaP256Sha256, &[&[4][..], &[1; 64]].concat()).unwrap();
        assert_eq!(
            VerifyingKey::from_public(&*provider, None, &off_curve).unwrap_err().kind(),
            ErrorKind::KeyUnusable
        );
    }
}

/// A DER element with a short or one-byte length.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    let mut out = if length < 128 { vec![tag, length] } else { vec![tag, 0x81, length] };
    out.extend(content);
    out
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// PKCS#8 of the test key: the algorithm's identifier, the inner key, and what else stands behind it.
fn pkcs8(version: u8, identifier: &[u8], inner: &[u8], rest: &[u8]) -> Vec<u8> {
    der(0x30, &[&der(0x02, &[version]), identifier, &der(0x04, inner), rest].concat())
}

fn ed25519_identifier() -> Vec<u8> {
    der(0x30, &der(0x06, &[0x2b, 0x65, 0x70]))
}

fn ec_identifier(curve: &[u8]) -> Vec<u8> {
    let ec = der(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]);
    der(0x30, &[ec, der(0x06, curve)].concat())
}

const P256: [u8; 8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

fn sec1(version: u8, secret: &[u8], public: Option<&[u8]>) -> Vec<u8> {
    let public = public.map_or_else(Vec::new, |point| der(0xa1, &der(0x03, &[&[0], point].concat())));
    der(0x30, &[der(0x02, &[version]), der(0x04, secret), public].concat())
}

#[test]
fn pem_files_make_keys() {
    let (ed25519, p256) = (private_key(Algorithm::EdDsa), private_key(Algorithm::Es256));
    let point = p256.public().as_bytes();
    let with_public = der(0x81, &[&[0], ed25519.public().as_bytes()].concat());
    for provider in providers() {
        for (file, algorithm) in [
            (pkcs8(0, &ed25519_identifier(), &der(0x04, &SECRET), &[]), Algorithm::EdDsa),
            (pkcs8(1, &ed25519_identifier(), &der(0x04, &SECRET), &with_public), Algorithm::EdDsa),
            (pkcs8(0, &ec_identifier(&P256), &sec1(1, &SECRET, Some(point)), &[]), Algorithm::Es256),
        ] {
            let key =
                SigningKey::from_pem(&*provider, algorithm, Some(KID), pem("PRIVATE KEY", &file).as_bytes())
                    .unwrap();
            assert_eq!(key.to_private_jwk(), signing_key(&*provider, algorithm, KID).to_private_jwk());
            let unnamed =
                SigningKey::from_pem(&*provider, algorithm, None, pem("PRIVATE KEY", &file).as_bytes())
                    .unwrap();
            assert_eq!(Some(unnamed.kid()), key.verifying().thumbprint(&*provider).as_deref());
        }
    }
    // A P-256 key without its public half is one where the provider can compute that half.
    let file = pem("PRIVATE KEY", &pkcs8(0, &ec_identifier(&P256), &sec1(1, &SECRET, None), &[]));
    assert!(SigningKey::from_pem(&RustCrypto::new(), Algorithm::Es256, None, file.as_bytes()).is_ok());
    assert_eq!(
        SigningKey::from_pem(&Ring::new(), Algorithm::Es256, None, file.as_bytes()).unwrap_err().kind(),
        ErrorKind::KeyUnsupported
    );
}

#[test]
fn other_pem_files_are_refused() {
    let point = private_key(Algorithm::Es256).public().as_bytes().to_vec();
    let ed25519 = |inner: &[u8]| pem("PRIVATE KEY", &pkcs8(0, &ed25519_identifier(), inner, &[]));
    let ec = |curve: &[u8], inner: &[u8]| pem("PRIVATE KEY", &pkcs8(0, &ec_identifier(curve), inner, &[]));
    let good = ed25519(&der(0x04, &SECRET));
    let rsa = der(
        0x30,
        &[der(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]), der(0x05, &[])].concat(),
    );
    let p384 = [0x2b, 0x81, 0x04, 0x00, 0x22];
    let x25519 = der(0x30, &der(0x06, &[0x2b, 0x65, 0x6e]));
    let mut wrong_point = point.clone();
    wrong_point[40] ^= 1;
    for provider in providers() {
        assert!(SigningKey::from_pem(&*provider, Algorithm::EdDsa, None, good.as_bytes()).is_ok());
        let (eddsa, es256) = (Algorithm::EdDsa, Algorithm::Es256);
        for (file, algorithm, kind) in [
            (String::new(), eddsa, ErrorKind::KeyFormat),
            ("A".repeat(16 * 1024 + 1), eddsa, ErrorKind::KeyTooLarge),
            (format!("{good}{good}"), eddsa, ErrorKind::KeyFormat),
            (good.replace("PRIVATE KEY", "EC PRIVATE KEY"), eddsa, ErrorKind::KeyFormat),
            (good.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), eddsa, ErrorKind::KeyEncrypted),
            (good.replace("PRIVATE KEY", "PUBLIC KEY"), eddsa, ErrorKind::KeySecrecy),
            (good.replace("-----END", "-----ENDE"), eddsa, ErrorKind::KeyFormat),
            (ed25519(&der(0x04, &SECRET[..31])), eddsa, ErrorKind::KeyFormat),
            (ed25519(&SECRET), eddsa, ErrorKind::KeyFormat),
            (ed25519(&[&der(0x04, &SECRET)[..], &[0]].concat()), eddsa, ErrorKind::KeyFormat),
            (pem("PRIVATE KEY", &pkcs8(0, &rsa, &[0; 32], &[])), es256, ErrorKind::KeyUse),
            (
                pem("PRIVATE KEY", &pkcs8(0, &x25519, &der(0x04, &SECRET), &[])),
                eddsa,
                ErrorKind::KeyUnsupported,
            ),
            (ec(&p384, &sec1(1, &SECRET, Some(&point))), es256, ErrorKind::KeyUse),
            (ec(&P256, &sec1(2, &SECRET, Some(&point))), es256, ErrorKind::KeyFormat),
            (ec(&P256, &sec1(1, &SECRET[..31], Some(&point))), es256, ErrorKind::KeyFormat),
            (ec(&P256, &[&sec1(1, &SECRET, Some(&point))[..], &[0]].concat()), es256, ErrorKind::KeyFormat),
            (ec(&P256, &sec1(1, &SECRET, Some(&wrong_point))), es256, ErrorKind::KeyUnusable),
            (ec(&P256, &sec1(1, &[9; 32], Some(&point))), es256, ErrorKind::KeyUnusable),
        ] {
            let error = SigningKey::from_pem(&*provider, algorithm, None, file.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), kind, "{file}");
        }
    }
}

#[test]
fn nothing_that_is_shown_has_a_secret_in_it() {
    let (text, numbers) = (String::from_utf8_lossy(&SECRET).into_owned(), format!("{:?}", SECRET));
    let hidden = |shown: &str| {
        for secret in ["canary", &text, &encode(SECRET), &STANDARD.encode(SECRET), &numbers[1..20]] {
            assert!(!shown.contains(secret), "{shown}");
        }
    };
    for provider in providers() {
        for algorithm in ALGORITHMS {
            let key = signing_key(&*provider, algorithm, KID);
            for shown in [
                format!("{key:?} {key:#?}"),
                format!("{:?} {:#?}", key.verifying(), key.verifying()),
                format!("{:?}", key.to_private_jwk()),
            ] {
                hidden(&shown);
            }
            assert!(
                format!("{key:?}").contains(KID) && format!("{key:?}").contains(&format!("{algorithm:?}"))
            );
            let jwk = key.to_private_jwk().expose().to_owned();
            for broken in [
                jwk.replace("\"kty\"", "\"kty\":1,\"x\""),
                jwk.replace("sig", "enc"),
                jwk[..jwk.len() - 1].to_owned(),
                jwk.replacen(':', ":1,\"D\":", 1),
                jwk.replace(&encode(SECRET), &encode(&SECRET[..31])),
                jwk.replace(&encode(SECRET), &format!("{}=", encode(SECRET))),
            ] {
                let error = SigningKey::from_jwk(&*provider, broken.as_bytes()).unwrap_err();
                hidden(&format!("{error} {error:?} {error:#?}"));
            }
        }
    }
}
