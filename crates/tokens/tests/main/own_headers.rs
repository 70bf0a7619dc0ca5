//! Payloads under headers of the caller's own, and claims that are judged by the caller.

use bartizan_core::{RawToken, SecretBytes};
use bartizan_crypto_ring::Ring;
use bartizan_tokens::{
    Algorithm, ErrorKind, KeySet, Limits, SigningKey, VerifyingKey,
    jws::{self, ProtectedHeader},
};

use crate::support::{SECRET, encode};

fn signs() -> SigningKey {
    SigningKey::hmac(&Ring::new(), Algorithm::Hs256, "own", &SecretBytes::new(SECRET.to_vec())).unwrap()
}

fn verifies(kid: Option<&str>) -> KeySet {
    let secret = SecretBytes::new(SECRET.to_vec());
    KeySet::new([VerifyingKey::hmac(&Ring::new(), Algorithm::Hs256, kid, &secret).unwrap()]).unwrap()
}

#[test]
fn a_header_of_ones_own_stands_in_the_token_as_it_was_given() {
    let json = r#"{"alg":"HS256","kid":"theirs","typ":"JWT","tier":7}"#;
    let header = ProtectedHeader::new(json).unwrap();
    let token = jws::sign_under(&signs(), &header, br#"{"exp":7}"#).unwrap();
    assert!(token.expose().starts_with(&format!("{}.", encode(json))));
    let verify = |keys: &KeySet| jws::verify(keys, RawToken::new(token.expose()), &Limits::DEFAULT);
    let claims = verify(&verifies(None)).unwrap().into_claims(&Limits::DEFAULT).unwrap();
    assert_eq!(claims.expires().map(|time| time.as_secs()), Some(7));
    verify(&verifies(Some("theirs"))).unwrap();
    assert_eq!(verify(&verifies(Some("own"))).unwrap_err().kind(), ErrorKind::Key);
}

#[test]
fn a_header_that_verify_would_refuse_is_not_written() {
    for (json, kind) in [
        (r#"{"alg":"none"}"#, ErrorKind::Algorithm),
        (r#"{"kid":"k"}"#, ErrorKind::Algorithm),
        (r#"{"alg":"HS256","crit":["x"]}"#, ErrorKind::Critical),
        (r#"{"alg":"HS256","jku":"https://login.example"}"#, ErrorKind::Header),
        (r#"{"alg":"HS256","alg":"HS256"}"#, ErrorKind::Duplicate),
        ("[]", ErrorKind::Malformed),
    ] {
        assert_eq!(ProtectedHeader::new(json).unwrap_err().kind(), kind, "{json}");
    }
    let long = |length| ProtectedHeader::new(&format!(r#"{{"alg":"HS256","x":"{}"}}"#, "x".repeat(length)));
    // 22 bytes around it: 1,536 bytes are 2,048 characters.
    assert!(long(1_536 - 22).is_ok());
    assert_eq!(long(1_536 - 21).unwrap_err().kind(), ErrorKind::TooLarge);
}

#[test]
fn a_header_of_another_algorithm_is_not_signed() {
    for name in ["HS384", "HS512", "ES256", "EdDSA"] {
        let header = ProtectedHeader::new(&format!(r#"{{"alg":"{name}"}}"#)).unwrap();
        let refused = jws::sign_under(&signs(), &header, b"{}").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Algorithm, "{name}");
    }
}

#[test]
fn a_payload_that_is_no_claims_text_is_none() {
    for payload in [&b"\xff"[..], b"", b"[]", br#"{"exp":"7"}"#] {
        let token = jws::sign(&signs(), None, payload).unwrap();
        let verified = jws::verify(&verifies(None), RawToken::new(token.expose()), &Limits::DEFAULT).unwrap();
        assert_eq!(verified.as_bytes(), payload);
        let kind = verified.into_claims(&Limits::DEFAULT).unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::Malformed | ErrorKind::ClaimType), "{kind:?}");
    }
}

#[test]
fn a_secret_that_verifies_is_checked_like_one_that_signs() {
    let made = |algorithm, kid, secret: &[u8]| {
        VerifyingKey::hmac(&Ring::new(), algorithm, kid, &SecretBytes::new(secret.to_vec()))
            .map_err(|error| error.kind())
    };
    assert_eq!(made(Algorithm::Hs256, None, &SECRET[..31]).unwrap_err(), ErrorKind::SecretTooShort);
    assert_eq!(made(Algorithm::Es256, None, &SECRET).unwrap_err(), ErrorKind::KeyUse);
    assert_eq!(made(Algorithm::Hs256, Some(""), &SECRET).unwrap_err(), ErrorKind::Config);
    assert_eq!(made(Algorithm::Hs256, None, &SECRET).unwrap().kid(), None);
}
