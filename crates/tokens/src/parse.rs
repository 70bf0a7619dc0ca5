//! The parsers of this crate, each as a plain function that says whether it takes a text. For tests and fuzzers: taking
//! proves nothing, and no signature is looked at.

use bartizan_crypto::Provider;

use crate::{
    Algorithm, Error, KeySet, Limits, SigningKey, TokenShape, VerifyingKey,
    claims::{Claims, Names},
    header::Header,
    jwk::Jwk,
    key_file,
    scan::Scanner,
};

/// Three parts within limits, none of them decoded.
///
/// # Errors
/// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) and [`ErrorKind::Malformed`](crate::ErrorKind::Malformed).
pub fn compact(text: &str, limits: &Limits) -> Result<(), Error> {
    crate::compact::parse(text, &limits.checked()?).map(|_| ())
}

/// Any JSON text, held to what header and claims are held to.
///
/// # Errors
/// Those of [`Verifier::verify`](crate::Verifier::verify) about the text of claims.
pub fn json(text: &str, limits: &Limits) -> Result<(), Error> {
    let limits = limits.checked()?;
    Scanner::read(text, limits.values, limits.depth, |scan| scan.skip())
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
    Claims::default().read(json, &Names::of_access_tokens(), &limits.checked()?, &mut ()).map(drop)
}

/// Decoded claims of an ID token, not validated.
///
/// # Errors
/// Those of [`IdTokenVerifier::verify`](crate::IdTokenVerifier::verify) about the text of claims.
pub fn id_claims(json: &str, limits: &Limits) -> Result<(), Error> {
    Claims::default().read(json, &Names::of_id_tokens(), &limits.checked()?, &mut ()).map(drop)
}

/// Decoded claims of a logout token, not validated.
///
/// # Errors
/// Those of [`LogoutTokenVerifier::verify`](crate::LogoutTokenVerifier::verify) about the text of claims.
pub fn logout_claims(json: &str, limits: &Limits) -> Result<(), Error> {
    Claims::default().read(json, &Names::of_logout_tokens(), &limits.checked()?, &mut ()).map(drop)
}

/// Decoded claims of a token that this shape is of, not validated.
///
/// # Errors
/// Those of [`Verifier::verify`](crate::Verifier::verify) about the text of claims.
pub fn shaped_claims(json: &str, shape: &TokenShape, limits: &Limits) -> Result<(), Error> {
    Claims::default().read(json, shape.names(), &limits.checked()?, &mut ()).map(drop)
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

/// A PEM file, in each of the ways that a key is made from one.
///
/// # Errors
/// Those of the functions of [`key_file`].
pub fn pem(provider: &dyn Provider, pem: &[u8]) -> Result<(), Error> {
    let read = |algorithm| {
        let private = key_file::private_from_pem(provider, algorithm, pem).map(|_| ());
        let public = key_file::public_from_pem(algorithm, pem).map(|_| ());
        private.or(public).or(key_file::danger_public_from_certificate_pem(algorithm, pem).map(|_| ()))
    };
    of_either_kind(key_file::algorithm_of(pem)?, read)
}

/// A DER file, in each of the ways that a key is made from one.
///
/// # Errors
/// Those of the functions of [`key_file`].
pub fn der(provider: &dyn Provider, der: &[u8]) -> Result<(), Error> {
    let read = |algorithm| {
        let private = key_file::private_from_der(provider, algorithm, der).map(|_| ());
        let public = key_file::public_from_der(algorithm, der).map(|_| ());
        private.or(public).or(key_file::danger_public_from_certificate_der(algorithm, der).map(|_| ()))
    };
    of_either_kind(key_file::algorithm_of(der)?, read)
}

/// As the one algorithm that the file says, or as RSA for all that it may be for.
fn of_either_kind(
    algorithm: Option<Algorithm>,
    read: impl Fn(Algorithm) -> Result<(), Error>,
) -> Result<(), Error> {
    match algorithm {
        Some(algorithm) => read(algorithm),
        None => read(Algorithm::Ps256).or(read(Algorithm::Rs512)),
    }
}
