//! A certified OpenID provider (npm `oidc-provider`) issues access tokens and ID tokens; we verify them with its published
//! keys, fetched over HTTP as a service fetches them.

use std::{sync::Arc, time::Duration};

use bartizan_clock_tokio::TokioClock;
use bartizan_core::{Clock, RawToken, UnixTime, os};
use bartizan_crypto::Provider;
use bartizan_crypto_aws_lc::AwsLc;
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;
use bartizan_egress::Allow;
use bartizan_jwks_http::Config;
use bartizan_testkit::ManualClock;
use bartizan_tokens::{
    Algorithm, Asked, Error, ErrorKind, IdTokenVerifier, JwksUrl, KeyRules, KeySet, KeySource, RemoteJwks,
    Verified, Verifier,
};
use serde_json::Value;

use crate::support::{follow, http, setting};

/// The APIs that the provider knows; it signs the tokens of each with another algorithm.
const ES256: (&str, Algorithm) = ("https://es256.api.test", Algorithm::Es256);
const EDDSA: (&str, Algorithm) = ("https://eddsa.api.test", Algorithm::EdDsa);
const ED25519: (&str, Algorithm) = ("https://ed25519.api.test", Algorithm::EdDsa);
const PS256: (&str, Algorithm) = ("https://ps256.api.test", Algorithm::Ps256);
const RS256: (&str, Algorithm) = ("https://rs256.api.test", Algorithm::Rs256);

/// Where it sends who has logged in.
const REDIRECT_URI: &str = "http://127.0.0.1:9/callback";

fn issuer() -> String {
    setting("BARTIZAN_TEST_OIDC_ISSUER")
}

fn jwks_url() -> JwksUrl {
    JwksUrl::new(&format!("{}/jwks", issuer())).expect("a URL")
}

/// One request to the token endpoint.
fn grant(client: &str, parameters: &str) -> Value {
    let secret = setting("BARTIZAN_TEST_OIDC_CLIENT_SECRET");
    let body = format!("{parameters}&client_id={client}&client_secret={secret}");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = http("POST", &format!("{}/token", issuer()), &headers, &body);
    serde_json::from_str(&answer).expect("JSON")
}

/// A new access token for this API, by the client credentials grant (RFC 6749 §4.4, RFC 8707).
fn token(api: &str) -> String {
    let parameters = format!("grant_type=client_credentials&scope=read&resource={api}");
    let answer = grant(&setting("BARTIZAN_TEST_OIDC_CLIENT_ID"), &parameters);
    answer["access_token"].as_str().expect("a token").to_owned()
}

/// Logs in as a browser and a client do (RFC 6749 §4.1), and answers access token and ID token.
fn log_in(client: &str, nonce: &str) -> (String, String) {
    let query = format!(
        "response_type=code&scope=openid&client_id={client}&redirect_uri={REDIRECT_URI}&nonce={nonce}&state=s"
    );
    let answer = follow(&format!("{}/auth?{query}", issuer()), REDIRECT_URI);
    let code = answer.split('&').find_map(|pair| pair.strip_prefix("code=")).expect("a code");
    let answer =
        grant(client, &format!("grant_type=authorization_code&code={code}&redirect_uri={REDIRECT_URI}"));
    let text = |name: &str| answer[name].as_str().expect("a token").to_owned();
    (text("access_token"), text("id_token"))
}

/// The provider's keys as a service has them: fetched by a driver in the background. That it is on this machine is said.
async fn remote(provider: impl Provider, rules: KeyRules) -> RemoteJwks {
    let clock: Arc<dyn Clock> = Arc::new(TokioClock::new());
    let fetch =
        Config::new(jwks_url()).allow(Allow::danger_loopback()).build(clock.clone()).expect("a client");
    let jwks = RemoteJwks::from_url(jwks_url(), Arc::new(fetch), Arc::new(provider), clock);
    let (jwks, driver) = jwks.key_rules(rules).expect("rules").build();
    tokio::spawn(driver.run());
    jwks.ready().await.expect("its keys");
    jwks
}

fn verify(
    keys: impl Into<KeySource>,
    audience: &str,
    clock: Arc<dyn Clock>,
    token: &str,
) -> Result<Verified, Error> {
    let verifier = Verifier::access_tokens(issuer(), audience, keys, clock).expect("a verifier");
    let verifier = verifier.leeway(Duration::ZERO).expect("a verifier");
    verifier.verify(RawToken::new(token))
}

async fn is_accepted(provider: impl Provider, rules: KeyRules, (api, algorithm): (&str, Algorithm)) {
    let keys = remote(provider, rules).await;
    let verified = verify(&keys, api, Arc::new(os::SystemClock), &token(api)).expect("its token is good");
    assert_eq!(verified.algorithm(), algorithm);
    assert_eq!((verified.subject(), verified.client_id()), ("service", Some("service")));
    assert_eq!(verified.audiences().collect::<Vec<_>>(), [api]);
    assert_eq!(verified.expires().as_secs() - verified.issued_at().as_secs(), 300);
    assert_eq!(keys.status().fetches, 1);
}

macro_rules! accepted {
    ($($name:ident: $api:ident, $provider:expr, $rules:expr;)+) => {$(
        #[tokio::test]
        async fn $name() {
            is_accepted($provider, $rules, $api).await;
        }
    )+};
}

accepted! {
    es256_tokens_are_accepted_by_ring: ES256, Ring::new(), KeyRules::strict();
    es256_tokens_are_accepted_by_aws_lc: ES256, AwsLc::new(), KeyRules::strict();
    es256_tokens_are_accepted_by_rustcrypto: ES256, RustCrypto::new(), KeyRules::strict();
    eddsa_tokens_are_accepted_by_ring: EDDSA, Ring::new(), KeyRules::strict();
    eddsa_tokens_are_accepted_by_aws_lc: EDDSA, AwsLc::new(), KeyRules::strict();
    eddsa_tokens_are_accepted_by_rustcrypto: EDDSA, RustCrypto::new(), KeyRules::strict();
    eddsa_tokens_under_the_name_ed25519_are_accepted: ED25519, Ring::new(), KeyRules::strict();
    ps256_tokens_are_accepted_by_ring: PS256, Ring::new(), KeyRules::strict();
    ps256_tokens_are_accepted_by_aws_lc: PS256, AwsLc::new(), KeyRules::strict();
    rs256_tokens_are_accepted_by_ring_when_asked_for: RS256, Ring::new(), KeyRules::strict().danger_rsa_pkcs1();
    rs256_tokens_are_accepted_by_aws_lc_when_asked_for: RS256, AwsLc::new(), KeyRules::strict().danger_rsa_pkcs1();
}

#[tokio::test]
async fn an_rs256_token_is_refused_when_it_was_not_asked_for() {
    let keys = remote(Ring::new(), KeyRules::strict()).await;
    assert_eq!((keys.status().keys, keys.status().skipped.len()), (4, 1));
    let refused = verify(&keys, RS256.0, Arc::new(os::SystemClock), &token(RS256.0));
    assert_eq!(refused.expect_err("its key is left out").kind(), ErrorKind::Key);
}

#[tokio::test]
async fn its_keys_are_not_asked_for_on_this_machine_unless_that_is_said() {
    assert!(Config::new(jwks_url()).build(Arc::new(TokioClock::new())).is_err());
}

#[tokio::test]
async fn id_tokens_of_every_algorithm_are_accepted() {
    let keys = remote(AwsLc::new(), KeyRules::strict().danger_rsa_pkcs1()).await;
    for name in ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"] {
        let client = format!("login-{name}");
        let (access_token, id_token) = log_in(&client, "n-0S6_WzA2Mj");
        let verifier = IdTokenVerifier::new(issuer(), client, &keys, Arc::new(os::SystemClock));
        let verifier = verifier.expect("a verifier");
        let provider = AwsLc::new();
        let asked =
            |nonce| Asked::with_nonce(nonce).access_token_if_hashed(&provider, RawToken::new(&access_token));
        let verified = verifier.verify(RawToken::new(&id_token), &asked("n-0S6_WzA2Mj")).expect("a login");
        assert_eq!((verified.subject(), Some(verified.algorithm())), ("ada", Algorithm::named(name)));

        let refused = |token: &str, nonce| {
            verifier.verify(RawToken::new(token), &asked(nonce)).expect_err("refused").kind()
        };
        assert_eq!(refused(&id_token, "another"), ErrorKind::Nonce, "{name}");
        let (signed, _) = id_token.rsplit_once('.').expect("three parts");
        let (_, other) = log_in(&format!("login-{name}"), "another");
        let (_, signature) = other.rsplit_once('.').expect("three parts");
        let forged = format!("{signed}.{signature}");
        assert_eq!(refused(&forged, "n-0S6_WzA2Mj"), ErrorKind::Signature, "{name}");
        // SECURITY: an ID token is no key to an API (RFC 9068 §5).
        let api = verify(&keys, &format!("login-{name}"), Arc::new(os::SystemClock), &id_token);
        assert_eq!(api.expect_err("it is an ID token").kind(), ErrorKind::Type, "{name}");
    }
}

#[tokio::test]
async fn an_id_token_for_another_client_is_refused() {
    let keys = remote(Ring::new(), KeyRules::strict()).await;
    let (_, id_token) = log_in("login-ES256", "n");
    let verifier = IdTokenVerifier::new(issuer(), "login-EdDSA", &keys, Arc::new(os::SystemClock));
    let refused = verifier.expect("a verifier").verify(RawToken::new(&id_token), &Asked::with_nonce("n"));
    assert_eq!(refused.expect_err("it is for another client").kind(), ErrorKind::Audience);
}

#[tokio::test]
async fn a_token_for_another_api_is_refused() {
    let keys = remote(Ring::new(), KeyRules::strict()).await;
    let refused = verify(&keys, EDDSA.0, Arc::new(os::SystemClock), &token(ES256.0));
    assert_eq!(refused.expect_err("it is for another API").kind(), ErrorKind::Audience);
}

#[test]
fn a_token_is_refused_at_the_exact_second_of_its_end() {
    let jwks = http("GET", jwks_url().as_str(), &[], "");
    let (keys, _) = KeySet::from_jwks(&Ring::new(), jwks.as_bytes()).expect("a key set");
    let token = token(ES256.0);
    let verify = |clock: Arc<dyn Clock>| verify(keys.clone(), ES256.0, clock, &token);
    let ends = verify(Arc::new(os::SystemClock)).expect("a good token").expires();
    let at = |time: UnixTime| verify(Arc::new(ManualClock::at(time)));
    at(UnixTime::from_secs(ends.as_secs() - 1)).expect("its last second");
    assert_eq!(at(ends).expect_err("its 300 s are over").kind(), ErrorKind::Expired);
}

#[tokio::test]
async fn the_signature_of_another_token_of_the_same_key_is_refused() {
    let keys = remote(Ring::new(), KeyRules::strict()).await;
    let (one, two) = (token(ES256.0), token(ES256.0));
    let (signed, _) = one.rsplit_once('.').expect("three parts");
    let (_, signature) = two.rsplit_once('.').expect("three parts");
    let refused = verify(&keys, ES256.0, Arc::new(os::SystemClock), &format!("{signed}.{signature}"));
    assert_eq!(refused.expect_err("a foreign signature").kind(), ErrorKind::Signature);
}
