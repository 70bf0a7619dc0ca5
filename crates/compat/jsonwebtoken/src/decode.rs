//! Decoding.

use bartizan_core::RawToken;
use bartizan_tokens::{ErrorKind, Limits, jws, parse};
use jsonwebtoken::{Header, TokenData, Validation};
use serde::de::DeserializeOwned;

use crate::{
    DecodingKey,
    error::{Cause, Result},
    header, validate,
};

/// Verifies a token and gives its claims: options, limits, header, key, signature, then claims. Nothing of the claims is read
/// before the signature holds.
///
/// # Errors
/// About the token, with jsonwebtoken's kinds: `InvalidToken`, `InvalidAlgorithm`, `InvalidSignature`,
/// `MissingRequiredClaim`, `InvalidClaimFormat`, `InvalidIssuer`, `InvalidAudience`, `InvalidSubject`, `ExpiredSignature`,
/// `ImmatureSignature`, and `Json` when the claims are not of the type `T`.
///
/// About the validation: `MissingAlgorithm`, and `Provider` for what it must not ask for: see the table of differences.
pub fn decode<T: DeserializeOwned>(
    token: impl AsRef<[u8]>,
    key: &DecodingKey,
    validation: &Validation,
) -> Result<TokenData<T>> {
    validate::options(validation)?;
    let token = text(token.as_ref())?;
    let engine = key.engine();
    let payload = jws::verify(key.keys(), RawToken::new(token), &engine.limits)?;
    validate::algorithm(payload.algorithm(), validation)?;
    let claims = payload.into_claims(&engine.limits)?;
    validate::claims(&claims, validation, engine.clock.wall())?;
    let header = key.header_of(token)?;
    let claims = claims.own().map_err(|_| Cause::OwnClaims)?;
    Ok(TokenData { header, claims })
}

/// The header of a token, of which nothing is verified.
///
/// # Security
/// Whoever sent the token wrote it. Take its `kid` to choose among keys that you trust already, and nothing else from it; better,
/// make one [`DecodingKey::from_jwk_set`], which chooses by itself. A header that [`decode`] refuses is refused here too.
///
/// # Errors
/// Those of [`decode`] about the form of a token and its header.
pub fn danger_decode_header(token: impl AsRef<[u8]>) -> Result<Header> {
    let token = text(token.as_ref())?;
    parse::compact(token, &Limits::DEFAULT)?;
    let json = header::text(header::encoded_in(token))?;
    parse::header(&json, &Limits::DEFAULT)?;
    header::of_json(&json)
}

fn text(token: &[u8]) -> Result<&str> {
    Ok(std::str::from_utf8(token).map_err(|_| ErrorKind::Malformed)?)
}
