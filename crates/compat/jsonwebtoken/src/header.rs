//! Headers as jsonwebtoken has them.

use bartizan_tokens::{Algorithm, ErrorKind};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Header;
use serde_json::{Map, Value};

use crate::{convert, error::Result};

/// The first part of a token.
pub(crate) fn encoded_in(token: &str) -> &str {
    token.split('.').next().unwrap_or_default()
}

pub(crate) fn text(encoded: &str) -> Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| ErrorKind::Malformed)?;
    Ok(String::from_utf8(bytes).map_err(|_| ErrorKind::Malformed)?)
}

/// Decodes a header that was checked before.
pub(crate) fn decode(encoded: &str) -> Result<Header> {
    of_json(&text(encoded)?)
}

/// INVARIANT(checked-header): the strict reader took this text, so that no member of it stands twice.
pub(crate) fn of_json(json: &str) -> Result<Header> {
    let mut members: Map<String, Value> = serde_json::from_str(json).map_err(|_| ErrorKind::Malformed)?;
    let named = members.get("alg").and_then(Value::as_str).and_then(Algorithm::named);
    // jsonwebtoken knows one of the two names of Ed25519.
    let name = convert::foreign_algorithm(named.ok_or(ErrorKind::Algorithm)?)?;
    members.insert("alg".to_owned(), Value::String(format!("{name:?}")));
    Ok(serde_json::from_value(Value::Object(members)).map_err(|_| ErrorKind::Malformed)?)
}
