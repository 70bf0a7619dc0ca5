//! What a token of any kind must say to be believed (RFC 7519 §4.1, RFC 9068 §4). Pure: the time is an argument.

use std::time::Duration;

use bartizan_core::UnixTime;

use crate::{Error, ErrorKind, TokenShape, claims::Claims};

/// What is expected.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) shape: &'a TokenShape,
    pub(crate) now: UnixTime,
    pub(crate) leeway: Duration,
    pub(crate) max_lifetime: Duration,
}

/// When a token is valid.
#[derive(Clone, Copy, Default)]
pub(crate) struct Times {
    pub(crate) issued_at: UnixTime,
    /// The later of `iat` and `nbf`.
    pub(crate) begins: UnixTime,
    pub(crate) expires: UnixTime,
}

/// Everything that is wrong with claims, in this order: something is missing, issuer, audience, life, time.
pub(crate) fn validate(claims: &Claims, json: &str, expected: &Expected<'_>) -> Result<Times, Error> {
    if let Some(missing) = expected.shape.missing(claims) {
        return Err(Error::about(ErrorKind::MissingClaim, missing));
    }
    // SECURITY: equal byte by byte; no prefix, part or pattern (CVE-2024-53861).
    if claims.issuer.as_ref().is_none_or(|issuer| issuer.read(json) != expected.issuer) {
        return Err(ErrorKind::Issuer.into());
    }
    // SECURITY: a name is one person's only together with its issuer (RFC 8693 §4.1): another issuer's “bob” is not ours.
    if claims.optional.actor_issuer.as_ref().is_some_and(|issuer| issuer.read(json) != expected.issuer) {
        return Err(Error::about(ErrorKind::Issuer, "act"));
    }
    if !expected.shape.is_for(claims, json, expected.audience) {
        return Err(ErrorKind::Audience.into());
    }
    // Dates are from 0 to the year 9999 here, so that no subtraction overflows.
    let life = claims.expires - claims.issued_at;
    let inverted = life <= 0 || claims.not_before.is_some_and(|not_before| not_before >= claims.expires);
    if inverted || Duration::from_secs(life.unsigned_abs()) > expected.max_lifetime {
        return Err(ErrorKind::Lifetime.into());
    }
    let issued_at = UnixTime::from_secs(claims.issued_at);
    let times = Times {
        issued_at,
        begins: claims.not_before.map_or(issued_at, UnixTime::from_secs).max(issued_at),
        expires: UnixTime::from_secs(claims.expires),
    };
    times.contain(expected.now, expected.leeway)?;
    Ok(times)
}

impl Times {
    /// # Errors
    /// [`ErrorKind::Expired`], [`ErrorKind::NotYet`].
    pub(crate) fn contain(&self, now: UnixTime, leeway: Duration) -> Result<(), Error> {
        // “On or after” (RFC 7519 §4.1.4): at the exact second it has expired.
        if now >= self.expires.saturating_add(leeway) {
            return Err(ErrorKind::Expired.into());
        }
        if now.saturating_add(leeway) < self.begins {
            return Err(ErrorKind::NotYet.into());
        }
        Ok(())
    }
}
