//! Public keys of their numbers. They are read as JWKs, so that one reader checks encodings, lengths and curves.

use bartizan_tokens::{Algorithm, ErrorKind, VerifyingKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{Engine, error::Result};

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn rsa(
    engine: &Engine,
    algorithm: Algorithm,
    kid: Option<&str>,
    n: &str,
    e: &str,
) -> Result<VerifyingKey> {
    read(engine, kid, json!({"kty": "RSA", "alg": algorithm.name(), "n": n, "e": e}))
}

pub(crate) fn ec(engine: &Engine, kid: Option<&str>, x: &str, y: &str) -> Result<VerifyingKey> {
    // Coordinates have the full length of their curve (RFC 7518 §6.2.1.2): 32 or 48 bytes.
    let curve = match x.len() {
        43 => "P-256",
        64 => "P-384",
        _ => return Err(ErrorKind::KeyFormat.into()),
    };
    read(engine, kid, json!({"kty": "EC", "crv": curve, "x": x, "y": y}))
}

pub(crate) fn ed(engine: &Engine, kid: Option<&str>, x: &str) -> Result<VerifyingKey> {
    read(engine, kid, json!({"kty": "OKP", "crv": "Ed25519", "x": x}))
}

fn read(engine: &Engine, kid: Option<&str>, mut jwk: Value) -> Result<VerifyingKey> {
    if let (Some(kid), Some(members)) = (kid, jwk.as_object_mut()) {
        members.insert("kid".to_owned(), kid.into());
    }
    Ok(VerifyingKey::from_jwk_with(&*engine.provider, jwk.to_string().as_bytes(), &engine.rules)?)
}

/// The coordinates of an uncompressed point of P-256 or P-384 (SEC 1 §2.3.3).
pub(crate) fn coordinates(point: &[u8]) -> Option<(&[u8], &[u8])> {
    match point {
        [4, rest @ ..] if matches!(rest.len(), 64 | 96) => rest.split_at_checked(rest.len() / 2),
        _ => None,
    }
}
