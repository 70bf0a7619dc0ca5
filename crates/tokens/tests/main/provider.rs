//! An OpenID provider that signs whatever it is told.

use bartizan_core::{RawToken, SecretArray};
use bartizan_crypto::{Provider, SignatureAlgorithm};
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;
use bartizan_tokens::{Algorithm, KeySet, SigningKey, TrustedIssuer, jws};
use serde_json::{Map, Value};

use crate::support::KID;

pub(crate) struct OpenIdProvider {
    pub(crate) issuer: &'static str,
    key: SigningKey,
}

impl OpenIdProvider {
    /// With a key of its own, made of its name; the `kid` is the same for all.
    pub(crate) fn new(issuer: &'static str, algorithm: Algorithm) -> Self {
        let mut secret = [7; 32];
        for (place, byte) in issuer.bytes().enumerate() {
            secret[place % 31 + 1] ^= byte;
        }
        let primitive = match algorithm {
            Algorithm::EdDsa => SignatureAlgorithm::Ed25519,
            _ => SignatureAlgorithm::EcdsaP256Sha256,
        };
        let key = RustCrypto::new().private_key(primitive, SecretArray::new(secret).into()).unwrap();
        let key = SigningKey::from_private(&Ring::new(), Some(KID), &key).unwrap();
        Self { issuer, key }
    }

    pub(crate) fn keys(&self) -> KeySet {
        KeySet::new([self.key.verifying()]).unwrap()
    }

    pub(crate) fn trusted(&self, audience: &str) -> TrustedIssuer {
        TrustedIssuer::new(self.issuer, audience, self.keys())
    }

    pub(crate) fn sign(&self, typ: Option<&str>, claims: &Value) -> String {
        self.sign_text(typ, &claims.to_string())
    }

    pub(crate) fn sign_text(&self, typ: Option<&str>, claims: &str) -> String {
        jws::sign(&self.key, typ, claims.as_bytes()).unwrap().expose().to_owned()
    }
}

/// The same claims but for this one.
pub(crate) fn with(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = members(claims);
    claims.insert(name.into(), value);
    Value::Object(claims)
}

pub(crate) fn without(claims: &Value, name: &str) -> Value {
    let mut claims = members(claims);
    claims.remove(name);
    Value::Object(claims)
}

fn members(claims: &Value) -> Map<String, Value> {
    claims.as_object().unwrap().clone()
}

pub(crate) fn raw(token: &str) -> RawToken<'_> {
    RawToken::new(token)
}
