//! A certified OpenID provider (npm `oidc-provider`) issues access tokens; we verify them with its published keys.

use std::{sync::Arc, time::Duration};

use bartizan_core::{Clock, RawToken, UnixTime, os};
use bartizan_crypto::Provider;
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;
use bartizan_testkit::ManualClock;
use bartizan_tokens::{Algorithm, Error, ErrorKind, KeySet, Verified, Verifier};
use serde_json::Value;

use crate::support::{http, setting};

/// The APIs that the provider knows; it signs the tokens of each with another algorithm.
const ES256: (&str, Algorithm) = ("https://es256.api.test", Algorithm::Es256);
const EDDSA: (&str, Algorithm) = ("https://eddsa.api.test", Algorithm::EdDsa);

/// A new access token for this API, by the client credentials grant (RFC 6749 §4.4, RFC 8707).
fn token(api: &str) -> String {
    let (client, secret) =
        (setting("BARTIZAN_TEST_OIDC_CLIENT_ID"), setting("BARTIZAN_TEST_OIDC_CLIENT_SECRET"));
    let body = format!(
        "grant_type=client_credentials&scope=read&resource={api}&client_id={client}&client_secret={secret}"
    );
    let url = format!("{}/token", setting("BARTIZAN_TEST_OIDC_ISSUER"));
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer: Value = serde_json::from_str(&http("POST", &url, &headers, &body)).expect("JSON");
    answer["access_token"].as_str().expect("a token").to_owned()
}

fn keys(provider: &dyn Provider) -> KeySet {
    let jwks = http("GET", &format!("{}/jwks", setting("BARTIZAN_TEST_OIDC_ISSUER")), &[], "");
    let (keys, skipped) = KeySet::from_jwks(provider, jwks.as_bytes()).expect("a key set");
    assert_eq!(skipped.len(), 1, "its RSA key is skipped, and nothing else: {skipped:?}");
    keys
}

fn verify(
    provider: &dyn Provider,
    audience: &str,
    clock: Arc<dyn Clock>,
    token: &str,
) -> Result<Verified, Error> {
    let issuer = setting("BARTIZAN_TEST_OIDC_ISSUER");
    let verifier = Verifier::access_tokens(issuer, audience, keys(provider), clock).expect("a verifier");
    let verifier = verifier.leeway(Duration::ZERO).expect("a verifier");
    verifier.verify(RawToken::new(token))
}

fn is_accepted(provider: &dyn Provider, (api, algorithm): (&str, Algorithm)) {
    let verified = verify(provider, api, Arc::new(os::SystemClock), &token(api)).expect("its token is good");
    assert_eq!(verified.algorithm(), algorithm);
    assert_eq!((verified.subject(), verified.client_id()), ("service", "service"));
    assert_eq!(verified.audiences().collect::<Vec<_>>(), [api]);
    assert_eq!(verified.expires().as_secs() - verified.issued_at().as_secs(), 300);
}

#[test]
fn es256_tokens_are_accepted_by_ring() {
    is_accepted(&Ring::new(), ES256);
}

#[test]
fn es256_tokens_are_accepted_by_rustcrypto() {
    is_accepted(&RustCrypto::new(), ES256);
}

#[test]
fn eddsa_tokens_are_accepted_by_ring() {
    is_accepted(&Ring::new(), EDDSA);
}

#[test]
fn eddsa_tokens_are_accepted_by_rustcrypto() {
    is_accepted(&RustCrypto::new(), EDDSA);
}

#[test]
fn a_token_for_another_api_is_refused() {
    let refused = verify(&Ring::new(), EDDSA.0, Arc::new(os::SystemClock), &token(ES256.0));
    assert_eq!(refused.expect_err("it is for another API").kind(), ErrorKind::Audience);
}

#[test]
fn a_token_is_refused_at_the_exact_second_of_its_end() {
    let token = token(ES256.0);
    let ends =
        verify(&Ring::new(), ES256.0, Arc::new(os::SystemClock), &token).expect("a good token").expires();
    let at = |time: UnixTime| verify(&Ring::new(), ES256.0, Arc::new(ManualClock::at(time)), &token);
    at(UnixTime::from_secs(ends.as_secs() - 1)).expect("its last second");
    assert_eq!(at(ends).expect_err("its 300 s are over").kind(), ErrorKind::Expired);
}

#[test]
fn the_signature_of_another_token_of_the_same_key_is_refused() {
    let (one, two) = (token(ES256.0), token(ES256.0));
    let (signed, _) = one.rsplit_once('.').expect("three parts");
    let (_, signature) = two.rsplit_once('.').expect("three parts");
    let refused = verify(&Ring::new(), ES256.0, Arc::new(os::SystemClock), &format!("{signed}.{signature}"));
    assert_eq!(refused.expect_err("a foreign signature").kind(), ErrorKind::Signature);
}
