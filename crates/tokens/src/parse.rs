//! The parsers of this crate, each as a plain function that says whether it takes a text. For tests and fuzzers: taking
//! proves nothing, and no signature is looked at.

use bartizan_crypto::Provider;

use crate::{Error, KeySet, Limits, SigningKey, VerifyingKey, claims::Claims, header::Header, jwk::Jwk};

/// Three parts within limits, none of them decoded.
///
/// # Errors
/// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) and [`ErrorKind::Malformed`](crate::ErrorKind::Malformed).
pub fn compact(text: &str, limits: &Limits) -> Result<(), Error> {
    crate::compact::parse(text, &limits.checked()?).map(|_| ())
}

/// A decoded header.
///
/// # Errors
/// Those of [`Verifier::verify`](crate::Verifier::verify) about headers.
pub fn header(json: &str, limits: &Limits) -> Result<(), Error> {
    Header::parse(json, &limits.checked()?).map(|_| ())
}

/// Decoded claims, not validated.
///
/// # Errors
/// Those of [`Verifier::verify`](crate::Verifier::verify) about the text of claims.
pub fn claims(json: &str, limits: &Limits) -> Result<(), Error> {
    Claims::parse(json, &limits.checked()?).map(|_| ())
}

/// A JWK, in each of the ways that a key is made from one.
///
/// # Errors
/// Those of [`VerifyingKey::from_jwk`] and [`SigningKey::from_jwk`].
pub fn jwk(provider: &dyn Provider, json: &[u8]) -> Result<(), Error> {
    if Jwk::parse(json)?.is_secret {
        SigningKey::from_jwk(provider, json).map(|_| ())
    } else {
        VerifyingKey::from_jwk(provider, json).map(|_| ())
    }
}

/// A public JWKS.
///
/// # Errors
/// Those of [`KeySet::from_jwks`].
pub fn jwks(provider: &dyn Provider, json: &[u8]) -> Result<(), Error> {
    KeySet::from_jwks(provider, json).map(|_| ())
}

/// A PEM file.
///
/// # Errors
/// Those of [`SigningKey::from_pem`].
pub fn pem(provider: &dyn Provider, pem: &[u8]) -> Result<(), Error> {
    crate::pem::private_key(provider, pem).map(|_| ())
}
