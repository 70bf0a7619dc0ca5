//! What a reviewer tried who had not written the code: each of these was a hole once.

use std::sync::Arc;

use bartizan_core::{RawToken, SecretBytes};
use bartizan_crypto_ring::Ring;
use bartizan_testkit::SeededEntropy;
use bartizan_tokens::{AccessToken, Algorithm, ErrorKind, Issuer, KeySet, SigningKey, parse};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::support::{
    AUDIENCE, Forge, ISSUER, KID, SECRET, clock, encode, good_claims, private_key, providers, refused,
    signing_key, verify,
};

fn issuer() -> Issuer {
    let key = signing_key(&Ring::new(), Algorithm::EdDsa, KID);
    Issuer::new(ISSUER, key, clock(), Arc::new(SeededEntropy::new(1))).unwrap()
}

/// Letters that fold to ASCII letters: long s, the Kelvin sign, and both letters i of Turkish.
const LETTERS: [(char, char); 4] = [('s', '\u{17f}'), ('k', '\u{212a}'), ('i', '\u{131}'), ('i', '\u{130}')];

/// A name with its first such letter replaced.
fn spelt_otherwise(name: &str) -> Vec<String> {
    let spellings = LETTERS.iter().filter(|(ascii, _)| name.contains(*ascii));
    spellings.map(|(ascii, other)| name.replacen(*ascii, &other.to_string(), 1)).collect()
}

#[test]
fn a_claim_in_another_letter_case_of_unicode_stands_twice() {
    let forge = Forge::new(Algorithm::EdDsa);
    for name in ["iss", "sub", "jti", "client_id", "roles", "groups", "sid"] {
        for other in spelt_otherwise(name) {
            let token = forge.with(&other, json!("eve"));
            assert_eq!(refused(&forge.verifier(), &token), ErrorKind::Duplicate, "{other}");
            let token = AccessToken::new("ada", AUDIENCE, "web").claim(other, "eve");
            assert_eq!(issuer().issue(&token).unwrap_err().kind(), ErrorKind::Claim);
        }
    }
    for name in ["kid", "jwk", "jku", "crit", "zip"] {
        for other in spelt_otherwise(name) {
            let token = forge.token(&forge.header_and(&format!(r#""{other}":"x""#)), &good_claims());
            assert_eq!(refused(&forge.verifier(), &token), ErrorKind::Duplicate, "{other}");
        }
    }
    // Other letters beyond ASCII fold to nothing that is known.
    assert!(verify(&forge.verifier(), &forge.with("süb", json!("x"))).is_ok());
}

#[test]
fn a_key_in_another_letter_case_of_unicode_is_no_key() {
    let jwk = signing_key(&Ring::new(), Algorithm::EdDsa, KID).verifying().to_public_jwk().unwrap();
    for name in ["k", "\u{212a}", "\u{212a}ty", "\u{212a}id", "u\u{17f}e"] {
        let jwk = format!(r#"{},"{name}":"x"}}"#, &jwk[..jwk.len() - 1]);
        assert!(parse::jwk(&Ring::new(), jwk.as_bytes()).is_err(), "{name}");
        assert!(
            KeySet::from_jwks(&Ring::new(), format!(r#"{{"keys":[{jwk}]}}"#).as_bytes()).is_err(),
            "{name}"
        );
    }
}

#[test]
fn row_02_a_key_file_is_no_secret_in_a_second_wrapping() {
    let key = private_key(Algorithm::Es256);
    let point = key.public().as_bytes();
    let der = [
        &[0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08][..],
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00],
        point,
    ]
    .concat();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&der));
    let jwk = signing_key(&Ring::new(), Algorithm::Es256, KID).verifying().to_public_jwk().unwrap();
    let ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA you@here";
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for provider in providers() {
        for file in [
            // As key files stand in environment variables.
            STANDARD.encode(&pem).into_bytes(),
            encode(&pem).into_bytes(),
            STANDARD.encode(&jwk).into_bytes(),
            STANDARD.encode(ssh).into_bytes(),
            // A bare point, as web push writes it, and as hexadecimal digits.
            encode(point).into_bytes(),
            hex(point).into_bytes(),
            hex(&der).to_uppercase().into_bytes(),
            // A DER file that an editor has saved.
            [&der, &b"\n"[..]].concat(),
            [&der, &b"\r\n"[..]].concat(),
            // RFC 4716, and a key of a security token.
            b"---- BEGIN SSH2 PUBLIC KEY ----\nAAAAC3NzaC1lZDI1NTE5AAAAIAAA\n---- END SSH2 PUBLIC KEY ----\n"
                .to_vec(),
            b"sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t you@here".to_vec(),
        ] {
            let made = SigningKey::hmac(&*provider, Algorithm::Hs256, KID, &SecretBytes::new(file.clone()));
            assert_eq!(
                made.err().map(|error| error.kind()),
                Some(ErrorKind::SecretIsKey),
                "{}",
                String::from_utf8_lossy(&file)
            );
        }
        // Random bytes as text stay a secret.
        for secret in [hex(&SECRET), STANDARD.encode(SECRET), encode(SECRET)] {
            assert!(
                SigningKey::hmac(&*provider, Algorithm::Hs256, KID, &SecretBytes::new(secret.into_bytes()))
                    .is_ok()
            );
        }
    }
}

#[test]
fn an_actor_of_another_issuer_is_nobody_here() {
    let forge = Forge::new(Algorithm::EdDsa);
    let verified =
        verify(&forge.verifier(), &forge.with("act", json!({"iss": ISSUER, "sub": "bob"}))).unwrap();
    assert_eq!(verified.principal().unwrap().actor().unwrap().issuer(), Some(ISSUER));
    for issuer in [json!("https://other.example"), json!("https://login.example/"), json!("")] {
        let token = forge.with("act", json!({"sub": "bob", "iss": issuer}));
        let error = forge.verifier().verify(RawToken::new(&token)).expect_err("accepted");
        assert_eq!(error.claim(), Some("act"), "{issuer}");
        assert!(matches!(error.kind(), ErrorKind::Issuer | ErrorKind::ClaimType), "{issuer}");
    }
}

#[test]
fn a_text_within_a_claim_is_not_read_as_json() {
    // What serde_json calls its own raw values: `Value` parses the text, which nothing has checked.
    let forge = Forge::new(Algorithm::EdDsa);
    let own = json!({"$serde_json::private::RawValue": r#"{"role":"user","role":"admin"}"#});
    for token in [forge.with("own", own.clone()), forge.with("own", json!([{"a": own.clone()}]))] {
        let read = forge.verifier().verify_with::<Value>(RawToken::new(&token));
        assert_eq!(read.map_err(|error| error.kind()).unwrap_err(), ErrorKind::Malformed);
    }
    let token = AccessToken::new("ada", AUDIENCE, "web").claim("own", own);
    assert_eq!(issuer().issue(&token).unwrap_err().kind(), ErrorKind::Claim);
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    let mut out = if length < 128 { vec![tag, length] } else { vec![tag, 0x81, length] };
    out.extend(content);
    out
}

/// PKCS#8 of the test key of P-256, with a public half inside, outside, or at both places.
fn pem(inner: Option<&[u8]>, outer: Option<&[u8]>) -> String {
    let identifier = [
        0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
        0x3d, 0x03, 0x01, 0x07,
    ];
    let inner = inner.map_or_else(Vec::new, |bits| der(0xa1, &der(0x03, bits)));
    let sec1 = der(0x30, &[der(0x02, &[1]), der(0x04, &SECRET), inner].concat());
    let version = der(0x02, &[u8::from(outer.is_some())]);
    let outer = outer.map_or_else(Vec::new, |bits| der(0x81, bits));
    let file = der(0x30, &[&version, &identifier[..], &der(0x04, &sec1), &outer].concat());
    let text = STANDARD.encode(file);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

#[test]
fn every_public_half_of_a_pem_file_is_that_of_its_private_half() {
    let key = private_key(Algorithm::Es256);
    let good = [&[0], key.public().as_bytes()].concat();
    let mut wrong = good.clone();
    wrong[40] ^= 1;
    // Three bits of the last byte are said to be unused.
    let mut ragged = good.clone();
    ragged[0] = 3;
    *ragged.last_mut().unwrap() &= 0xf8;
    for provider in providers() {
        for (inner, outer) in [(Some(&good), None), (None, Some(&good)), (Some(&good), Some(&good))] {
            let file = pem(inner.map(Vec::as_slice), outer.map(Vec::as_slice));
            assert!(SigningKey::from_pem(&*provider, Algorithm::Es256, None, file.as_bytes()).is_ok());
        }
        for bad in [&wrong, &ragged] {
            for (inner, outer) in
                [(Some(bad), None), (None, Some(bad)), (Some(bad), Some(&good)), (Some(&good), Some(bad))]
            {
                let file = pem(inner.map(Vec::as_slice), outer.map(Vec::as_slice));
                let error = SigningKey::from_pem(&*provider, Algorithm::Es256, None, file.as_bytes())
                    .expect_err("accepted");
                assert!(matches!(error.kind(), ErrorKind::KeyFormat | ErrorKind::KeyUnusable));
            }
        }
    }
}

#[test]
fn a_pem_file_holds_nothing_else_but_text_before_it() {
    let key = private_key(Algorithm::Es256);
    let good = pem(Some(&[&[0], key.public().as_bytes()].concat()), None);
    // RFC 7468 §2 permits text before, as `openssl pkcs12` writes it.
    assert!(
        SigningKey::from_pem(
            &Ring::new(),
            Algorithm::Es256,
            None,
            format!("Bag Attributes\n{good}").as_bytes()
        )
        .is_ok()
    );
    for file in [
        format!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{good}"),
        format!("{good}Bag Attributes\n"),
        format!("\u{feff}{good}"),
        good.replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n"),
    ] {
        for provider in providers() {
            let error = SigningKey::from_pem(&*provider, Algorithm::Es256, None, file.as_bytes())
                .expect_err("accepted");
            assert_eq!(error.kind(), ErrorKind::KeyFormat, "{file}");
        }
    }
}

#[test]
fn no_control_of_direction_is_a_name() {
    let forge = Forge::new(Algorithm::EdDsa);
    for c in ['\u{61c}', '\u{200e}', '\u{200f}', '\u{202e}', '\u{2066}'] {
        let token = forge.with("sub", json!(format!("ada{c}")));
        assert_eq!(refused(&forge.verifier(), &token), ErrorKind::ClaimType, "{c:?}");
    }
}
