//! What an access token must say to be believed (RFC 7519 §4.1, RFC 9068 §4). Pure: the time is an argument.

use std::time::Duration;

use bartizan_core::UnixTime;

use crate::{
    Error, ErrorKind,
    claims::{Claims, Optional},
    text::{Text, Texts},
};

/// What is expected.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) now: UnixTime,
    pub(crate) leeway: Duration,
    pub(crate) max_lifetime: Duration,
}

/// Claims that were found good.
pub(crate) struct Facts {
    pub(crate) issuer: Text,
    pub(crate) subject: Text,
    pub(crate) audience: Texts,
    pub(crate) expires: UnixTime,
    pub(crate) issued_at: UnixTime,
    pub(crate) jti: Text,
    pub(crate) client_id: Text,
    pub(crate) optional: Optional,
}

/// Everything that is wrong with claims, in this order: something is missing, issuer, audience, life, time.
pub(crate) fn validate(claims: Claims, json: &str, expected: &Expected<'_>) -> Result<Facts, Error> {
    let missing = |claim| move || Error::about(ErrorKind::MissingClaim, claim);
    let issuer = claims.issuer.ok_or_else(missing("iss"))?;
    let subject = claims.subject.ok_or_else(missing("sub"))?;
    let audience = claims.audience.ok_or_else(missing("aud"))?;
    let expires = claims.expires.ok_or_else(missing("exp"))?;
    let issued_at = claims.issued_at.ok_or_else(missing("iat"))?;
    let jti = claims.jti.ok_or_else(missing("jti"))?;
    let client_id = claims.client_id.ok_or_else(missing("client_id"))?;

    // SECURITY: equal byte by byte; no prefix, part or pattern (CVE-2024-53861).
    if issuer.read(json) != expected.issuer {
        return Err(ErrorKind::Issuer.into());
    }
    // SECURITY: a name is one person's only together with its issuer (RFC 8693 §4.1): another issuer's “bob” is not ours.
    if claims.optional.actor_issuer.as_ref().is_some_and(|issuer| issuer.read(json) != expected.issuer) {
        return Err(Error::about(ErrorKind::Issuer, "act"));
    }
    if !audience.iter().any(|audience| audience.read(json) == expected.audience) {
        return Err(ErrorKind::Audience.into());
    }
    // Dates are from 0 to the year 9999 here, so that no subtraction overflows.
    let life = expires - issued_at;
    let inverted = life <= 0 || claims.not_before.is_some_and(|not_before| not_before >= expires);
    if inverted || Duration::from_secs(life.unsigned_abs()) > expected.max_lifetime {
        return Err(ErrorKind::Lifetime.into());
    }
    let (expires, issued_at) = (UnixTime::from_secs(expires), UnixTime::from_secs(issued_at));
    // “On or after” (RFC 7519 §4.1.4): at the exact second it has expired.
    if expected.now >= expires.saturating_add(expected.leeway) {
        return Err(ErrorKind::Expired.into());
    }
    let latest = expected.now.saturating_add(expected.leeway);
    let begins = claims.not_before.map_or(issued_at, UnixTime::from_secs).max(issued_at);
    if latest < begins {
        return Err(ErrorKind::NotYet.into());
    }
    Ok(Facts { issuer, subject, audience, expires, issued_at, jti, client_id, optional: claims.optional })
}
