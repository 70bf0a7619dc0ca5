//! A header that was seen saves reading, and nothing else.

use std::sync::Arc;

use bartizan_core::{RawToken, SecretBytes, UnixTime};
use bartizan_crypto_ring::Ring;
use bartizan_testkit::ManualClock;

use super::*;
use crate::{
    Algorithm, ErrorKind, IdTokenVerifier, KeySet, KeySource, SigningKey, TrustedIssuer, Verifier, base64url,
    id_token::Asked, key_source::KeyPublisher,
};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const CLAIMS: &str =
    r#"{"iss":"i","sub":"ada","aud":"a","client_id":"c","iat":1700000000,"exp":1700000900,"jti":"j"}"#;

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(NOW))
}

fn key(kid: &str, secret: u8) -> SigningKey {
    SigningKey::hmac(&Ring::new(), Algorithm::Hs256, kid, &SecretBytes::new(vec![secret; 32])).unwrap()
}

fn signed(key: &SigningKey, header: &str, claims: &str) -> String {
    let mut token =
        format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(claims.as_bytes()))
            .into_bytes();
    key.sign(&mut token).unwrap();
    String::from_utf8(token).unwrap()
}

fn good(key: &SigningKey) -> String {
    signed(key, &format!(r#"{{"alg":"HS256","kid":"{}","typ":"at+jwt"}}"#, key.kid()), CLAIMS)
}

fn verifier(keys: &KeySource) -> Verifier {
    Verifier::access_tokens("i", "a", keys.clone(), clock()).unwrap()
}

fn live(key: &SigningKey) -> (KeySource, KeyPublisher) {
    let (source, publisher) = KeySource::live(None);
    publisher.publish(KeySet::new([key.verifying()]).unwrap(), None);
    (source, publisher)
}

fn known(keys: &KeySource) -> usize {
    keys.load(NOW).unwrap().snapshot().unwrap().headers.count()
}

fn verdict(verifier: &Verifier, token: &str) -> Result<(), ErrorKind> {
    verifier.verify(RawToken::new(token)).map(|_| ()).map_err(|error| error.kind())
}

#[test]
fn a_header_is_known_once_its_token_verified() {
    let key = key("k", 1);
    let (source, _publisher) = live(&key);
    let verifier = verifier(&source);
    assert_eq!(known(&source), 0);
    for _ in 0..3 {
        assert_eq!(verdict(&verifier, &good(&key)), Ok(()));
        assert_eq!(known(&source), 1);
    }
}

#[test]
fn a_header_never_selects_a_key_that_has_gone() {
    let (old, new) = (key("k", 1), key("k", 2));
    let (source, publisher) = live(&old);
    let verifier = verifier(&source);
    assert_eq!(verdict(&verifier, &good(&old)), Ok(()));
    publisher.publish(KeySet::new([new.verifying()]).unwrap(), None);
    // The same header, and another key of that name.
    assert_eq!(verdict(&verifier, &good(&old)), Err(ErrorKind::Signature));
    assert_eq!(verdict(&verifier, &good(&new)), Ok(()));
    assert_eq!(verdict(&verifier, &good(&old)), Err(ErrorKind::Signature));
    let other = key("other", 3);
    publisher.publish(KeySet::new([other.verifying()]).unwrap(), None);
    assert_eq!(verdict(&verifier, &good(&new)), Err(ErrorKind::Key));
    publisher.extend(Some(NOW));
    assert_eq!(verdict(&verifier, &good(&other)), Err(ErrorKind::KeysUnavailable));
    publisher.withdraw();
    assert_eq!(verdict(&verifier, &good(&other)), Err(ErrorKind::KeysUnavailable));
}

#[test]
fn every_check_is_made_of_a_token_with_a_known_header() {
    let key = key("k", 1);
    let (source, _publisher) = live(&key);
    let verifier = verifier(&source);
    let good = good(&key);
    assert_eq!(verdict(&verifier, &good), Ok(()));
    let header = r#"{"alg":"HS256","kid":"k","typ":"at+jwt"}"#;
    for (from, to, kind) in [
        (r#""iss":"i""#, r#""iss":"x""#, ErrorKind::Issuer),
        (r#""aud":"a""#, r#""aud":"x""#, ErrorKind::Audience),
        ("1700000900", "1700000001", ErrorKind::Expired),
        ("1700000900", "1700090000", ErrorKind::Lifetime),
        (r#""jti":"j""#, r#""nbf":1700000600,"jti":"j""#, ErrorKind::NotYet),
        (r#""jti":"j""#, r#""jti":"j","cnf":{}"#, ErrorKind::Bound),
        (r#""jti":"j""#, r#""jti":"j","jti":"j""#, ErrorKind::Duplicate),
        (r#""jti":"j""#, r#""jti":7"#, ErrorKind::ClaimType),
        (r#","jti":"j""#, "", ErrorKind::MissingClaim),
        (r#""jti":"j"}"#, r#""jti":"j""#, ErrorKind::Malformed),
    ] {
        let bad = signed(&key, header, &CLAIMS.replace(from, to));
        let mut late = clock();
        if kind == ErrorKind::Expired {
            late = Arc::new(ManualClock::at(UnixTime::from_secs(1_700_000_100)));
        }
        let later = Verifier::access_tokens("i", "a", source.clone(), late).unwrap();
        assert_eq!(verdict(&later, &bad), Err(kind), "{to}");
    }
    for place in 0..good.len() {
        let mut bad = good.clone().into_bytes();
        bad[place] = if bad[place] == b'A' { b'B' } else { b'A' };
        assert!(verdict(&verifier, std::str::from_utf8(&bad).unwrap()).is_err(), "{place}");
    }
    assert_eq!(known(&source), 1);
}

#[test]
fn refused_tokens_leave_no_header_behind() {
    let (ours, theirs) = (key("k", 1), key("k", 2));
    let (source, _publisher) = live(&ours);
    let verifier = verifier(&source);
    let header = r#"{"alg":"HS256","kid":"k","typ":"at+jwt"}"#;
    for bad in [
        good(&theirs),
        signed(&ours, header, &CLAIMS.replace(r#""aud":"a""#, r#""aud":"x""#)),
        signed(&ours, header, &CLAIMS.replace("1700000900", "1699999000")),
        signed(&ours, header, "{}"),
        signed(&ours, header, "no JSON"),
        signed(&ours, r#"{"alg":"HS256","kid":"k","typ":"JWT"}"#, CLAIMS),
        signed(&ours, r#"{"alg":"HS256","kid":"k","typ":"at+jwt","crit":["x"]}"#, CLAIMS),
        signed(&ours, r#"{"alg":"HS256","kid":"x","typ":"at+jwt"}"#, CLAIMS),
    ] {
        assert!(verdict(&verifier, &bad).is_err());
        assert_eq!(known(&source), 0, "{bad}");
    }
}

#[test]
fn a_full_table_still_verifies() {
    let key = key("k", 1);
    let (source, _publisher) = live(&key);
    let verifier = verifier(&source);
    let numbered =
        |n: usize| signed(&key, &format!(r#"{{"alg":"HS256","kid":"k","typ":"at+jwt","n":{n}}}"#), CLAIMS);
    let long = format!(r#"{{"alg":"HS256","kid":"k","typ":"at+jwt","n":"{}"}}"#, "x".repeat(MAX_HEADER));
    assert_eq!(verdict(&verifier, &signed(&key, &long, CLAIMS)), Ok(()));
    assert_eq!(known(&source), 0, "a long header is read anew each time");
    for n in 0..3 * PLACES {
        assert_eq!(verdict(&verifier, &numbered(n)), Ok(()));
        assert_eq!(known(&source), (n + 1).min(PLACES));
    }
    for n in 0..3 * PLACES {
        assert_eq!(verdict(&verifier, &numbered(n)), Ok(()));
        let forged = numbered(n).replacen('.', "A.", 1);
        assert!(verdict(&verifier, &forged).is_err());
    }
    assert_eq!(known(&source), PLACES);
}

/// One snapshot of keys may serve verifiers that differ.
#[test]
fn a_header_known_to_one_verifier_is_held_to_the_rules_of_the_other() {
    let key = key("k1", 1);
    let (source, _publisher) = live(&key);
    let id_tokens = IdTokenVerifier::new("i", "a", source.clone(), clock()).unwrap();
    let token =
        signed(&key, r#"{"alg":"HS256","kid":"k1","typ":"JWT"}"#, &CLAIMS.replace("client_id", "own"));
    assert!(id_tokens.verify(RawToken::new(&token), &Asked::without_nonce()).is_ok());
    assert_eq!(known(&source), 1);
    assert_eq!(verdict(&verifier(&source), &token), Err(ErrorKind::Type));

    assert_eq!(verdict(&verifier(&source), &good(&key)), Ok(()));
    let stricter = verifier(&source).limits(Limits { kid: 1, ..Limits::DEFAULT }).unwrap();
    assert_eq!(verdict(&stricter, &good(&key)), Err(ErrorKind::TooLarge));
    let elsewhere = Verifier::access_tokens("j", "a", source, clock()).unwrap();
    assert_eq!(verdict(&elsewhere, &good(&key)), Err(ErrorKind::Issuer));
}

#[test]
fn with_several_issuers_a_header_is_known_to_the_one_that_the_claims_name() {
    let (ours, theirs) = (key("k", 1), key("k", 2));
    let (ours_source, _one) = live(&ours);
    let (theirs_source, _two) = live(&theirs);
    let issuers = [
        TrustedIssuer::new("i", "a", ours_source.clone()),
        TrustedIssuer::new("j", "a", theirs_source.clone()),
    ];
    let verifier = Verifier::of(issuers, clock()).unwrap();
    for _ in 0..2 {
        assert_eq!(verdict(&verifier, &good(&ours)), Ok(()));
        // The same header, signed with the key of the other issuer.
        assert_eq!(verdict(&verifier, &good(&theirs)), Err(ErrorKind::Signature));
    }
    assert_eq!((known(&ours_source), known(&theirs_source)), (1, 0));
}
