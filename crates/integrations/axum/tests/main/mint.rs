//! Tokens, good and bad.

use std::{sync::Arc, time::Duration};

use bartizan_core::Clock;
use bartizan_crypto_ring::Ring;
use bartizan_testkit::{ManualClock, SeededEntropy};
use bartizan_tokens::{AccessToken, Algorithm, Issuer, KeySet, SigningKey, Verifier};

use crate::bench::NOW;

/// How long a token lives.
pub(crate) const LIFE: Duration = Duration::from_secs(15 * 60);

/// How long after its end it is still taken, because clocks differ.
pub(crate) const LEEWAY: Duration = Duration::from_secs(30);

pub(crate) const ISSUER: &str = "https://login.example";
const AUDIENCE: &str = "https://api.example";

fn key(seed: u64) -> SigningKey {
    SigningKey::generate(&Ring::new(), Algorithm::EdDsa, Some("k1"), &SeededEntropy::new(seed)).unwrap()
}

pub(crate) fn verifier(clock: Arc<dyn Clock>) -> Verifier {
    let keys = KeySet::new([key(1).verifying()]).unwrap();
    Verifier::access_tokens(ISSUER, AUDIENCE, keys, clock).unwrap().leeway(LEEWAY).unwrap()
}

fn issued(seed: u64, audience: &str, tenant: &str, subject: &str, role: &str) -> String {
    let clock = Arc::new(ManualClock::at(NOW));
    let issuer = Issuer::new(ISSUER, key(seed), clock, Arc::new(SeededEntropy::new(9))).unwrap();
    let token = AccessToken::new(subject, audience, "web").tenant(tenant).roles([role]).lifetime(LIFE);
    issuer.issue(&token).unwrap().expose().to_owned()
}

pub(crate) fn token(tenant: &str, subject: &str, role: &str) -> String {
    issued(1, AUDIENCE, tenant, subject, role)
}

pub(crate) fn of_another_key(tenant: &str, subject: &str, role: &str) -> String {
    issued(2, AUDIENCE, tenant, subject, role)
}

pub(crate) fn for_another_audience(tenant: &str, subject: &str, role: &str) -> String {
    issued(1, "https://other.example", tenant, subject, role)
}

/// `{"alg":"none","typ":"at+jwt"}`, and good claims.
pub(crate) fn unsigned(tenant: &str, subject: &str, role: &str) -> String {
    let good = token(tenant, subject, role);
    let claims = good.split('.').nth(1).unwrap();
    format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{claims}.")
}
