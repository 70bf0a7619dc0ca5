//! Rows 1 to 8: algorithms, keys and signatures.

use bartizan_core::{RawToken, SecretBytes};
use bartizan_crypto::{MacAlgorithm, Provider};
use bartizan_crypto_ring::Ring;
use bartizan_tokens::{Algorithm, ErrorKind, KeySet, SigningKey, VerifyingKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::support::{
    ALGORITHMS, Forge, KID, SECRET, decode, encode, good_claims, private_key, providers, refused,
    signing_key, verify,
};

#[test]
fn row_01_asvs_9_1_2_alg_none_is_refused_in_every_form() {
    for forge in ALGORITHMS.map(Forge::new) {
        let verifier = forge.verifier();
        assert!(verify(&verifier, &forge.good()).is_ok());
        let algs = [
            r#""none""#,
            r#""None""#,
            r#""nOnE""#,
            r#""NONE""#,
            r#""""#,
            "null",
            r#"["HS256"]"#,
            r#"["none"]"#,
            "256",
            "true",
            "{}",
            r#""n\u006fne""#,
            r#""none ""#,
            r#""hs256""#,
            r#""eddsa""#,
            r#""es256""#,
            r#""HS256 ""#,
        ];
        let mut headers: Vec<_> =
            algs.map(|alg| format!(r#"{{"alg":{alg},"kid":"{KID}","typ":"at+jwt"}}"#)).to_vec();
        headers.push(format!(r#"{{"kid":"{KID}","typ":"at+jwt"}}"#));
        for header in headers {
            let signed = format!("{}.{}", encode(&header), encode(good_claims()));
            for signature in ["", "AA", &encode(forge.signature(signed.as_bytes()))] {
                assert_eq!(
                    refused(&verifier, &format!("{signed}.{signature}")),
                    ErrorKind::Algorithm,
                    "{header}"
                );
            }
            assert_eq!(refused(&verifier, &format!("{signed}..")), ErrorKind::Malformed);
            assert_eq!(refused(&verifier, &signed), ErrorKind::Malformed);
        }
    }
}

#[test]
fn row_01_a_token_without_a_signature_is_refused() {
    for forge in ALGORITHMS.map(Forge::new) {
        let (signed, _) = forge.good().rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        for signature in ["", "AA", "A", "AAAA"] {
            assert_eq!(refused(&forge.verifier(), &format!("{signed}.{signature}")), ErrorKind::Signature);
        }
    }
}

/// A public key in every form that has been passed off as a secret.
fn public_key_files(algorithm: Algorithm) -> Vec<Vec<u8>> {
    let key = private_key(algorithm);
    let public = key.public().as_bytes();
    let prefix = match algorithm {
        Algorithm::EdDsa => "302a300506032b6570032100",
        _ => "3059301306072a8648ce3d020106082a8648ce3d030107034200",
    };
    let mut der = hex(prefix);
    der.extend(public);
    let base64 = STANDARD.encode(&der);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----");
    let jwk = signing_key(&Ring::new(), algorithm, KID).verifying().to_public_jwk().unwrap();
    let mut files: Vec<Vec<u8>> = [
        pem.clone(),
        format!("{pem}\n"),
        format!("  {pem}"),
        format!("\u{feff}{pem}"),
        pem.replace('\n', "\r\n"),
        base64.clone(),
        format!("\n{base64}\n"),
        base64.trim_end_matches('=').to_owned(),
        encode(&der),
        jwk.clone(),
        format!("\n\t{jwk} "),
        format!(r#"{{"keys":[{jwk}]}}"#),
        format!("[{jwk}]"),
        format!("\"{base64}\""),
    ]
    .map(String::into_bytes)
    .to_vec();
    files.push(der);
    if algorithm == Algorithm::Es256 {
        files.push(public.to_vec());
    }
    files
}

/// Other key files: the shapes of PKCS#1, of a certificate, PKCS#8, SEC 1, and OpenSSH.
fn other_key_files() -> Vec<Vec<u8>> {
    let element = |tag: u8, content: &[u8]| {
        let mut out = vec![tag, 0x82];
        out.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
        out.extend(content);
        out
    };
    let sequence = |parts: &[&[u8]]| element(0x30, &parts.concat());
    let (modulus, exponent) = (element(0x02, &[0x7f; 257]), element(0x02, &[1, 0, 1]));
    let (algorithm, bits) = (sequence(&[&element(0x06, &[0x2a; 9])]), element(0x03, &[0x55; 72]));
    let (zero, octets) = (element(0x02, &[0]), element(0x04, &[0x11; 48]));
    let certificate = sequence(&[&sequence(&[&algorithm, &bits]), &algorithm, &bits]);
    vec![
        sequence(&[&modulus, &exponent]),
        sequence(&[&zero, &algorithm, &octets]),
        sequence(&[&element(0x02, &[1]), &octets, &element(0xa0, &[0x06; 10]), &element(0xa1, &bits)]),
        STANDARD.encode(&certificate).into_bytes(),
        certificate,
        b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA you@here".to_vec(),
    ]
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

#[test]
fn row_02_asvs_9_1_2_a_public_key_used_as_a_secret_signs_nothing() {
    for forge in [Algorithm::EdDsa, Algorithm::Es256].map(Forge::new) {
        let (verifier, header) =
            (forge.verifier(), format!(r#"{{"alg":"HS256","kid":"{KID}","typ":"at+jwt"}}"#));
        let mut secrets = public_key_files(forge.algorithm);
        secrets.push(private_key(forge.algorithm).public().as_bytes().to_vec());
        for secret in secrets {
            let signed = format!("{}.{}", encode(&header), encode(good_claims()));
            let mac = Ring::new().mac(MacAlgorithm::HmacSha256, &secret).unwrap();
            let token = format!("{signed}.{}", encode(mac.tag(&[signed.as_bytes()]).as_bytes()));
            assert_eq!(refused(&verifier, &token), ErrorKind::Algorithm);
            // The same tag under the name of the key's own algorithm is no signature of it.
            let header = forge.header();
            let signed = format!("{}.{}", encode(&header), encode(good_claims()));
            let token = format!("{signed}.{}", encode(mac.tag(&[signed.as_bytes()]).as_bytes()));
            assert_eq!(refused(&verifier, &token), ErrorKind::Signature);
        }
    }
}

#[test]
fn row_02_key_files_are_no_secrets() {
    for provider in providers() {
        let files = [Algorithm::EdDsa, Algorithm::Es256].into_iter().flat_map(public_key_files);
        for file in files.chain(other_key_files()) {
            let error = SigningKey::hmac(&*provider, Algorithm::Hs256, KID, &SecretBytes::new(file.clone()))
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::SecretIsKey, "{}", String::from_utf8_lossy(&file));
            let jwk = format!(r#"{{"kty":"oct","alg":"HS256","kid":"x","k":"{}"}}"#, encode(&file));
            for refused in [
                SigningKey::from_jwk(&*provider, jwk.as_bytes()).err(),
                VerifyingKey::from_secret_jwk(&*provider, jwk.as_bytes()).err(),
            ] {
                assert_eq!(refused.unwrap().kind(), ErrorKind::SecretIsKey);
            }
        }
        // What merely resembles a key file is a secret: a sequence that ends early, text in braces, long base64.
        for secret in [
            hex("301e0203010203020301020304050607080910111213141516171819202122ff"),
            b"{not json, but a fine secret of some length}".to_vec(),
            b"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldC0=".to_vec(),
        ] {
            assert!(SigningKey::hmac(&*provider, Algorithm::Hs256, KID, &SecretBytes::new(secret)).is_ok());
        }
    }
}

#[test]
fn row_03_a_key_without_alg_has_one_algorithm_all_the_same() {
    for forge in [Algorithm::EdDsa, Algorithm::Es256].map(Forge::new) {
        let mut jwk: Value = serde_json::from_str(
            &signing_key(&Ring::new(), forge.algorithm, KID).verifying().to_public_jwk().unwrap(),
        )
        .unwrap();
        jwk.as_object_mut().unwrap().remove("alg");
        let jwks = json!({"keys": [jwk, {"kty": "RSA", "kid": "r", "n": encode([0xc1; 256]), "e": "AQAB"}]})
            .to_string();
        let (keys, skipped) = KeySet::from_jwks(&Ring::new(), jwks.as_bytes()).unwrap();
        assert_eq!((keys.keys().len(), skipped.len()), (1, 1));
        for alg in ["HS256", "HS384", "PS256", "RS512", "ES384", "ES512", "EdDSA", "ES256", "Ed25519"] {
            let header = format!(r#"{{"alg":"{alg}","kid":"{KID}"}}"#);
            let token = forge.token(&header, "{}");
            let verdict =
                bartizan_tokens::jws::verify(&keys, RawToken::new(&token), &bartizan_tokens::Limits::DEFAULT);
            match Algorithm::named(alg) == Some(forge.algorithm) {
                true => assert!(verdict.is_ok(), "{alg}"),
                false => assert_eq!(verdict.unwrap_err().kind(), ErrorKind::Algorithm, "{alg}"),
            }
        }
    }
    // A secret fits several algorithms, so it has to name its own.
    let oct = format!(r#"{{"kty":"oct","kid":"x","k":"{}"}}"#, encode(SECRET));
    assert_eq!(
        SigningKey::from_jwk(&Ring::new(), oct.as_bytes()).unwrap_err().kind(),
        ErrorKind::KeyAlgorithm
    );
}

#[test]
fn row_04_mixed_double_and_secret_keys_are_no_set() {
    let provider = Ring::new();
    let key = |algorithm, kid: &str| signing_key(&provider, algorithm, kid).verifying();
    let kind = |keys: Vec<VerifyingKey>| KeySet::new(keys).map(|_| ()).map_err(|error| error.kind());
    assert_eq!(kind(vec![key(Algorithm::EdDsa, "a"), key(Algorithm::Es256, "b")]), Ok(()));
    assert_eq!(kind(vec![]), Err(ErrorKind::KeyNone));
    assert_eq!(kind(vec![key(Algorithm::EdDsa, "a"), key(Algorithm::Hs256, "b")]), Err(ErrorKind::KeyMixed));
    assert_eq!(
        kind(vec![key(Algorithm::EdDsa, "a"), key(Algorithm::Es256, "a")]),
        Err(ErrorKind::KeyDuplicate)
    );
    let many = |n| (0..n).map(|i| key(Algorithm::EdDsa, &format!("k{i}"))).collect();
    assert_eq!((kind(many(64)), kind(many(65))), (Ok(()), Err(ErrorKind::KeyTooLarge)));

    let public = key(Algorithm::EdDsa, "a").to_public_jwk().unwrap();
    let private = signing_key(&provider, Algorithm::Es256, "b").to_private_jwk();
    let secret = signing_key(&provider, Algorithm::Hs256, "c").to_private_jwk();
    let jwks = |keys: &[&str]| {
        let json = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
        KeySet::from_jwks(&provider, json.as_bytes()).map(|_| ()).map_err(|error| error.kind())
    };
    assert_eq!(jwks(&[&public]), Ok(()));
    assert_eq!(jwks(&[&public, private.expose()]), Err(ErrorKind::KeySecrecy));
    assert_eq!(jwks(&[&public, secret.expose()]), Err(ErrorKind::KeySecrecy));
    assert_eq!(jwks(&[&public, r#"{"kty":"oct","kid":"c"}"#]), Err(ErrorKind::KeySecrecy));
    assert_eq!(
        jwks(&[&public, r#"{"kty":"RSA","kid":"r","n":"AQAB","e":"AQAB","p":"AQ"}"#]),
        Err(ErrorKind::KeySecrecy)
    );
    assert_eq!(
        jwks(&[&public, r#"{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}"#]),
        Err(ErrorKind::KeyDuplicate)
    );
    assert_eq!(jwks(&[]), Err(ErrorKind::KeyNone));
}

#[test]
fn row_05_asvs_9_1_3_keys_that_come_with_the_token_are_refused() {
    // The attacker signs with a key of their own and sends it along.
    let attacker = SigningKey::generate(
        &Ring::new(),
        Algorithm::EdDsa,
        Some(KID),
        &bartizan_testkit::SeededEntropy::new(7),
    )
    .unwrap();
    let jwk = attacker.verifying().to_public_jwk().unwrap();
    let (forge, payload) = (Forge::new(Algorithm::EdDsa), encode(good_claims()));
    for member in [
        format!(r#""jwk":{jwk}"#),
        r#""jku":"http://127.0.0.1:9/jwks.json""#.to_owned(),
        r#""x5u":"http://127.0.0.1:9/chain.pem""#.to_owned(),
        r#""x5c":["MIIB"]"#.to_owned(),
        r#""jwk":null"#.to_owned(),
        r#""\u006awk":{}"#.to_owned(),
    ] {
        let header = encode(forge.header_and(&member));
        // Even under the right signature: a header that brings a key is none of ours.
        assert_eq!(
            refused(&forge.verifier(), &forge.encoded(&header, &payload)),
            ErrorKind::Header,
            "{member}"
        );
        let token = bartizan_tokens::jws::sign(&attacker, Some("at+jwt"), good_claims().as_bytes()).unwrap();
        let (_, signature) = token.expose().rsplit_once('.').unwrap();
        assert_eq!(refused(&forge.verifier(), &format!("{header}.{payload}.{signature}")), ErrorKind::Header);
        assert_eq!(refused(&forge.verifier(), token.expose()), ErrorKind::Signature);
    }
    // A thumbprint of a certificate brings no key and is read over.
    assert!(
        verify(&forge.verifier(), &forge.token(&forge.header_and(r#""x5t":"AA""#), &good_claims())).is_ok()
    );
}

#[test]
fn row_06_a_kid_is_compared_and_never_looked_up() {
    let forge = Forge::new(Algorithm::Hs256);
    let verifier = forge.verifier();
    let with_kid =
        |kid: &str| forge.token(&format!(r#"{{"alg":"HS256","kid":{kid},"typ":"at+jwt"}}"#), &good_claims());
    assert!(verify(&verifier, &with_kid(r#""k1""#)).is_ok());
    for kid in [
        "../../dev/null",
        "/dev/null",
        "' OR 1=1",
        "' UNION SELECT 'secret'--",
        "\\u0000",
        "k1\\u0000",
        "K1",
        " k1",
        "k1 ",
        "",
        "k",
        "k11",
        "\\u212a1",
        "ｋ1",
        "http://127.0.0.1:9/",
        "${jndi:ldap://x}",
        "%00",
        "k1\\n",
    ] {
        assert_eq!(refused(&verifier, &with_kid(&format!(r#""{kid}""#))), ErrorKind::Key, "{kid}");
    }
    assert_eq!(refused(&verifier, &with_kid(&format!("\"{}\"", "k".repeat(129)))), ErrorKind::TooLarge);
    assert_eq!(refused(&verifier, &with_kid(&format!("\"{}\"", "k".repeat(10_000)))), ErrorKind::TooLarge);
    for kid in ["null", "1", "[\"k1\"]", "{}"] {
        assert_eq!(refused(&verifier, &with_kid(kid)), ErrorKind::Malformed, "{kid}");
    }
    // A flood of unknown ids ends at the set: none costs a signature check or an allocation beyond its error.
    for i in 0..2_000 {
        assert_eq!(
            refused(
                &verifier,
                &format!("{}.e30.AA", encode(format!(r#"{{"alg":"HS256","kid":"u{i}","typ":"at+jwt"}}"#)))
            ),
            ErrorKind::Key
        );
    }
}

#[test]
fn row_06_several_keys_need_a_kid_and_a_lone_one_does_not() {
    let forge = Forge::new(Algorithm::EdDsa);
    let token = forge.token(r#"{"alg":"EdDSA"}"#, "{}");
    let named = forge.token(r#"{"alg":"EdDSA","kid":"other"}"#, "{}");
    let provider = Ring::new();
    let key = |kid: Option<&str>| {
        VerifyingKey::from_public(&provider, kid, private_key(Algorithm::EdDsa).public()).unwrap()
    };
    let verdict = |keys: Vec<VerifyingKey>, token: &str| {
        let keys = KeySet::new(keys).unwrap();
        let verified =
            bartizan_tokens::jws::verify(&keys, RawToken::new(token), &bartizan_tokens::Limits::DEFAULT);
        verified.map(|_| ()).map_err(|error| error.kind())
    };
    assert_eq!(verdict(vec![key(Some("a"))], &token), Ok(()));
    assert_eq!(verdict(vec![key(None)], &token), Ok(()));
    assert_eq!(verdict(vec![key(None)], &named), Ok(()));
    assert_eq!(verdict(vec![key(Some("a"))], &named), Err(ErrorKind::Key));
    assert_eq!(verdict(vec![key(Some("a")), key(Some("b"))], &token), Err(ErrorKind::Key));
    assert_eq!(verdict(vec![key(Some("a")), key(Some("other"))], &named), Ok(()));
    assert_eq!(KeySet::new([key(Some("a")), key(None)]).unwrap_err().kind(), ErrorKind::KeyUnnamed);
}

#[test]
fn row_07_short_and_empty_secrets_make_no_key() {
    for provider in providers() {
        for length in 0..32 {
            let secret = SECRET[..length].to_vec();
            let jwk = format!(r#"{{"kty":"oct","alg":"HS256","kid":"x","k":"{}"}}"#, encode(&secret));
            let jwks = format!(r#"{{"keys":[{jwk}]}}"#);
            for refused in [
                SigningKey::hmac(&*provider, Algorithm::Hs256, KID, &SecretBytes::new(secret)).err(),
                SigningKey::from_jwk(&*provider, jwk.as_bytes()).err(),
                VerifyingKey::from_secret_jwk(&*provider, jwk.as_bytes()).err(),
                KeySet::from_secret_jwks(&*provider, jwks.as_bytes()).err(),
            ] {
                assert_eq!(refused.unwrap().kind(), ErrorKind::SecretTooShort, "{length}");
            }
        }
        assert!(
            SigningKey::hmac(&*provider, Algorithm::Hs256, KID, &SecretBytes::new(SECRET.to_vec())).is_ok()
        );
        assert!(
            SigningKey::hmac(&*provider, Algorithm::Hs256, KID, &SecretBytes::new(vec![7; 1_024])).is_ok()
        );
        let error = SigningKey::hmac(&*provider, Algorithm::Hs256, KID, &SecretBytes::new(vec![7; 1_025]))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        for k in ["null", "7", r#""""#, "[]"] {
            let jwk = format!(r#"{{"kty":"oct","alg":"HS256","kid":"x","k":{k}}}"#);
            assert!(SigningKey::from_jwk(&*provider, jwk.as_bytes()).is_err(), "{k}");
        }
    }
}

/// The order of P-256.
const N: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

#[test]
fn row_08_psychic_and_misshapen_es256_signatures_are_refused() {
    let forge = Forge::new(Algorithm::Es256);
    let good = forge.good();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let signature = decode(signature);
    let number = |text: &str| [vec![0; 32 - text.len() / 2], hex(text)].concat();
    let minus_one = N.replace("2551", "2550");
    let numbers = [number("00"), number("01"), number(&minus_one), number(N), hex(&"ff".repeat(32))];
    for provider in providers() {
        let keys = KeySet::new([signing_key(&*provider, Algorithm::Es256, KID).verifying()]).unwrap();
        let verifier = bartizan_tokens::Verifier::access_tokens(
            crate::support::ISSUER,
            crate::support::AUDIENCE,
            keys,
            crate::support::clock(),
        )
        .unwrap();
        let kind = |signature: &[u8]| refused(&verifier, &format!("{signed}.{}", encode(signature)));
        assert!(verify(&verifier, &good).is_ok());
        for r in &numbers {
            for s in &numbers {
                assert_eq!(kind(&[r.as_slice(), s].concat()), ErrorKind::Signature);
            }
        }
        // DER instead of r ‖ s, one byte less, one more, zeros before or behind each half.
        let (r, s) = signature.split_at(32);
        let der = [&[0x30, 0x46, 0x02, 0x21, 0x00], r, &[0x02, 0x21, 0x00], s].concat();
        for bytes in [
            der,
            signature[..63].to_vec(),
            [&signature[..], &[0]].concat(),
            [&[0], &signature[..]].concat(),
            [&[0], r, &[0], s].concat(),
            signature[..32].to_vec(),
            Vec::new(),
        ] {
            assert_eq!(kind(&bytes), ErrorKind::Signature);
        }
    }
}

#[test]
fn row_08_misshapen_eddsa_and_hs256_signatures_are_refused() {
    for forge in [Algorithm::EdDsa, Algorithm::Hs256].map(Forge::new) {
        let (good, verifier) = (forge.good(), forge.verifier());
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let signature = decode(signature);
        let length = signature.len();
        for bytes in [
            vec![0; length],
            vec![0xff; length],
            signature[..length - 1].to_vec(),
            [&signature[..], &[0]].concat(),
            signature[..length / 2].to_vec(),
            [&signature[..], &signature].concat(),
        ] {
            assert_eq!(refused(&verifier, &format!("{signed}.{}", encode(bytes))), ErrorKind::Signature);
        }
    }
    // Ed25519 with s + L, which checks out where s is not compared with the order.
    let forge = Forge::new(Algorithm::EdDsa);
    let good = forge.good();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let mut signature = decode(signature);
    let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    for provider in providers() {
        let keys = KeySet::new([signing_key(&*provider, Algorithm::EdDsa, KID).verifying()]).unwrap();
        let token = format!("{signed}.{}", encode(&signature));
        let verdict =
            bartizan_tokens::jws::verify(&keys, RawToken::new(&token), &bartizan_tokens::Limits::DEFAULT);
        assert_eq!(verdict.unwrap_err().kind(), ErrorKind::Signature);
    }
}
