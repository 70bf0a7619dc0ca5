//! What a key ring shows to the world.

use std::time::Duration;

use bartizan_crypto::Provider;

use crate::{Error, KeySet, base64url};

/// The public key set of a ring, ready to be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwks {
    json: Box<str>,
    etag: Box<str>,
    max_age: Duration,
}

impl Jwks {
    /// Of these keys, or of none.
    pub(super) fn new(
        provider: &dyn Provider,
        keys: Option<&KeySet>,
        max_age: Duration,
    ) -> Result<Self, Error> {
        let json = keys.map_or_else(|| Ok(r#"{"keys":[]}"#.into()), KeySet::to_jwks)?.into_boxed_str();
        let digest = provider.hash().sha256(&[json.as_bytes()]);
        let etag = format!("\"{}\"", base64url::encode(&digest)).into_boxed_str();
        Ok(Self { json, etag, max_age })
    }

    /// The body: a JWK Set (RFC 7517 §5), media type `application/jwk-set+json`.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// A strong entity tag (RFC 9110 §8.8.3), the same for the same keys in every instance.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// For how long it may be kept. The ring waits for copies of this age: serve it with no longer one.
    #[must_use]
    pub const fn max_age(&self) -> Duration {
        self.max_age
    }

    /// The `Cache-Control` to serve it with (RFC 9111 §5.2.2), in whole seconds, rounded down.
    #[must_use]
    pub fn cache_control(&self) -> String {
        format!("public, max-age={}", self.max_age.as_secs())
    }
}
