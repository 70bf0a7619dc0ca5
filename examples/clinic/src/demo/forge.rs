//! Tokens that nobody should believe.

use std::{fs, sync::Arc};

use bartizan::{
    crypto::Provider,
    crypto_ring::Ring,
    tokens::{Error, SigningKey, jws},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::step::Trouble;
use crate::Folder;

/// Another service's audience.
pub const OTHER_AUDIENCE: &str = "https://api.other.example";

/// The claims of a token, as anybody can read them.
pub(crate) fn claims(token: &str) -> Result<Value, Trouble> {
    part(token, 1).ok_or_else(|| "the token has no claims".into())
}

/// Signed with the clinic's own key, as only the clinic could: for showing that a true signature is not enough.
pub(crate) fn signed_by_clinic(folder: &Folder, claims: &Value) -> Result<String, Trouble> {
    let jwk = fs::read(folder.path().join("signing.jwk"))?;
    signed(&SigningKey::from_jwk(&*provider(), &jwk)?, claims)
}

/// The name of a stranger's key.
pub const STRANGER: &str = "stranger";

/// The stranger's key, the one of RFC 8037 appendix A.1 that everybody knows, under this name.
///
/// # Errors
/// When it cannot be read.
pub fn stranger(kid: &str) -> Result<SigningKey, Error> {
    let jwk = json!({
        "kty": "OKP", "crv": "Ed25519", "kid": kid,
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    SigningKey::from_jwk(&*provider(), jwk.to_string().as_bytes())
}

/// Signed with the stranger's key, under this name.
pub(crate) fn signed_by_stranger(kid: &str, claims: &Value) -> Result<String, Trouble> {
    signed(&stranger(kid)?, claims)
}

/// The claims with no signature at all, under `alg: none`.
pub(crate) fn unsigned(claims: &Value) -> String {
    format!("{}.{}.", encoded(&json!({ "alg": "none", "typ": "at+jwt" })), encoded(claims))
}

/// A true token with one letter of its claims changed.
pub(crate) fn altered(token: &str) -> Option<String> {
    let (head, rest) = token.split_once('.')?;
    let (claims, signature) = rest.split_once('.')?;
    let middle = claims.len() / 2;
    let letter = if claims.get(middle..=middle)? == "A" { "B" } else { "A" };
    Some(format!("{head}.{}{letter}{}.{signature}", claims.get(..middle)?, claims.get(middle + 1..)?))
}

/// The `kid` in a token's header.
pub(crate) fn kid(token: &str) -> Option<String> {
    part(token, 0)?.get("kid")?.as_str().map(str::to_owned)
}

fn part(token: &str, index: usize) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(index)?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn signed(key: &SigningKey, claims: &Value) -> Result<String, Trouble> {
    Ok(jws::sign(key, Some("at+jwt"), claims.to_string().as_bytes())?.expose().to_owned())
}

fn provider() -> Arc<dyn Provider> {
    Arc::new(Ring::new())
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
