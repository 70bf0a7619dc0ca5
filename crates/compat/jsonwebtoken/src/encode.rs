//! Encoding.

use bartizan_tokens::{
    ErrorKind, Limits,
    jws::{self, UnvalidatedClaims},
};
use jsonwebtoken::Header;
use serde::Serialize;

use crate::{
    EncodingKey,
    error::{Cause, Error, Result},
};

/// Encodes and signs claims under this header.
///
/// What [`decode`](crate::decode) would refuse of any token is not written either: claims without `exp`, registered claims of
/// another type, a header that makes something critical or brings a key.
///
/// # Errors
/// Kind `InvalidAlgorithm` when the header names another algorithm than the key's, `MissingRequiredClaim` for `exp`,
/// `InvalidClaimFormat`, `Json` for what cannot be serialized, `InvalidToken` for a header or claims as above, and `Signing`.
pub fn encode<T: Serialize>(header: &Header, claims: &T, key: &EncodingKey) -> Result<String> {
    let json = serde_json::to_string(claims).map_err(|_| Cause::Unwritable)?;
    let claims =
        UnvalidatedClaims::parse(json, &Limits::DEFAULT).map_err(|error| Error::from(error).of_caller())?;
    if claims.expires().is_none() {
        return Err(Error::from(Cause::About(ErrorKind::MissingClaim, "exp")).of_caller());
    }
    // That the header names the key's algorithm is for `sign_under` to say.
    key.with_header(header, |header| {
        let token = jws::sign_under(key.key(), header, claims.json().as_bytes());
        Ok(token.map_err(|error| Error::from(error).of_caller())?.expose().to_owned())
    })
}
