//! What jsonwebtoken's `Validation` means here. Pure: the time is an argument.

use std::{collections::HashSet, time::Duration};

use bartizan_core::UnixTime;
use bartizan_tokens::{self as tokens, ErrorKind, jws::UnvalidatedClaims};
use jsonwebtoken::Validation;

use crate::{
    convert,
    error::{Cause, Result},
};

/// The most that clocks may be apart, in seconds.
const MAX_LEEWAY: u64 = 300;

/// The claims that can be required.
const CLAIMS: [&str; 7] = ["aud", "exp", "iat", "iss", "jti", "nbf", "sub"];

/// SECURITY: what a validation asks for and does not get is an error, and neither ignored nor quietly made stricter: whoever
/// wrote it learns at the first token that their program now does something else.
pub(crate) fn options(validation: &Validation) -> Result<()> {
    if validation.algorithms.is_empty() {
        return Err(Cause::NoAlgorithm.into());
    }
    let asks = [
        (!validation.validate_exp, "validate_exp"),
        (!validation.validate_aud, "validate_aud"),
        (validation.leeway > MAX_LEEWAY, "leeway"),
        (
            validation.required_spec_claims.iter().any(|claim| !CLAIMS.contains(&claim.as_str())),
            "required_spec_claims",
        ),
    ];
    match asks.iter().find(|(is_asked, _)| *is_asked) {
        Some((_, option)) => Err(Cause::Option(option).into()),
        None => Ok(()),
    }
}

/// The key has one algorithm, which the list must contain, and nothing of another family.
pub(crate) fn algorithm(of_key: tokens::Algorithm, validation: &Validation) -> Result<()> {
    let of_key = convert::foreign_algorithm(of_key)?;
    let is_one_family = validation.algorithms.iter().all(|listed| listed.family() == of_key.family());
    if is_one_family && validation.algorithms.contains(&of_key) {
        return Ok(());
    }
    Err(Cause::AlgorithmNotListed.into())
}

/// Everything that is wrong with claims, in this order: bound to a key, something missing, issuer, audience, subject, time.
pub(crate) fn claims(claims: &UnvalidatedClaims, validation: &Validation, now: UnixTime) -> Result<()> {
    // SECURITY: whoever stole a bound token must not get in where bindings are not checked (RFC 9449 §7.2, RFC 8705 §3).
    if claims.is_bound() {
        return Err(ErrorKind::Bound.into());
    }
    for claim in CLAIMS {
        if is_required(claim, validation) && !is_present(claim, claims) {
            return Err(Cause::About(ErrorKind::MissingClaim, claim).into());
        }
    }
    if let (Some(expected), Some(issuer)) = (&validation.iss, claims.issuer())
        && !expected.contains(issuer)
    {
        return Err(ErrorKind::Issuer.into());
    }
    // A token for somebody is not for who does not say its name (RFC 7519 §4.1.3).
    if claims.has_audience() && !is_for(claims, validation.aud.as_ref()) {
        return Err(ErrorKind::Audience.into());
    }
    if validation.sub.as_deref().is_some_and(|expected| claims.subject() != Some(expected)) {
        return Err(Cause::Subject.into());
    }
    times(claims, validation, now)
}

fn is_required(claim: &str, validation: &Validation) -> bool {
    validation.required_spec_claims.contains(claim)
        || match claim {
            "exp" => true,
            "aud" => validation.aud.is_some(),
            "iss" => validation.iss.is_some(),
            "sub" => validation.sub.is_some(),
            _ => false,
        }
}

fn is_present(claim: &str, claims: &UnvalidatedClaims) -> bool {
    match claim {
        "aud" => claims.has_audience(),
        "exp" => claims.expires().is_some(),
        "iat" => claims.issued_at().is_some(),
        "iss" => claims.issuer().is_some(),
        "jti" => claims.id().is_some(),
        "nbf" => claims.not_before().is_some(),
        "sub" => claims.subject().is_some(),
        _ => false,
    }
}

fn is_for(claims: &UnvalidatedClaims, expected: Option<&HashSet<String>>) -> bool {
    expected.is_some_and(|expected| claims.audiences().any(|audience| expected.contains(audience)))
}

fn times(claims: &UnvalidatedClaims, validation: &Validation, now: UnixTime) -> Result<()> {
    let leeway = Duration::from_secs(validation.leeway);
    let on_arrival = now.saturating_add(Duration::from_secs(validation.reject_tokens_expiring_in_less_than));
    // “On or after” (RFC 7519 §4.1.4): at the exact second it has expired.
    if claims.expires().is_none_or(|expires| on_arrival >= expires.saturating_add(leeway)) {
        return Err(ErrorKind::Expired.into());
    }
    let begins = claims.not_before().max(claims.issued_at());
    if begins.is_some_and(|begins| now.saturating_add(leeway) < begins) {
        return Err(ErrorKind::NotYet.into());
    }
    Ok(())
}
