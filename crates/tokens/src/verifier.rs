//! Verifies access tokens: signature first, then every claim.

use std::{fmt, sync::Arc, time::Duration};

use bartizan_core::{Clock, RawToken};
use serde::de::DeserializeOwned;

use crate::{
    Error, ErrorKind, KeySet, Limits, Verified, VerifyingKey, base64url,
    claims::Claims,
    compact,
    header::{Buffer, Header},
    jws,
    names::is_name,
    validate::{Expected, Facts, validate},
    verified::Tenancy,
};

/// Verifies access tokens of RFC 9068 from one issuer, for one audience.
///
/// Issuer, audience and keys are given when it is made; there is no verifier without them. Which algorithms are accepted
/// follows from the keys. Every token needs `iss`, `sub`, `aud`, `exp`, `iat`, `jti` and `client_id`, and the type `at+jwt`.
///
/// Refused beyond the standards: dates with fractions, `null` for an absent claim, names of over 255 bytes or with control
/// characters or controls of writing direction, members that stand twice or once more in other letter case, headers that bring
/// a key, actors of another issuer, tokens that are bound to a sender's key (`cnf`).
///
/// # Security
/// What the text of a token looks like is no identity: ECDSA signatures have two valid forms. To remember a token, remember
/// its issuer and `jti`.
pub struct Verifier {
    issuer: Box<str>,
    audience: Box<str>,
    keys: KeySet,
    clock: Arc<dyn Clock>,
    leeway: Duration,
    max_lifetime: Duration,
    limits: Limits,
    tenancy: Tenancy,
}

/// How far clocks may be apart, unless said otherwise.
const LEEWAY: Duration = Duration::from_secs(30);

const MAX_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// How long tokens may live, unless said otherwise.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

impl Verifier {
    /// For access tokens of this issuer for this audience, both compared byte by byte.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an issuer or audience that is empty, over 255 bytes or unprintable.
    pub fn access_tokens(
        issuer: impl Into<Box<str>>,
        audience: impl Into<Box<str>>,
        keys: KeySet,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let (issuer, audience) = (issuer.into(), audience.into());
        if !is_name(&issuer) || !is_name(&audience) {
            return Err(ErrorKind::Config.into());
        }
        Ok(Self {
            issuer,
            audience,
            keys,
            clock,
            leeway: LEEWAY,
            max_lifetime: LIFETIME,
            limits: Limits::DEFAULT,
            tenancy: Tenancy::Named,
        })
    }

    /// How far the issuer's clock may be from ours: 30 seconds, at most 5 minutes.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for more.
    pub fn leeway(self, leeway: Duration) -> Result<Self, Error> {
        if leeway > MAX_LEEWAY {
            return Err(ErrorKind::Config.into());
        }
        Ok(Self { leeway, ..self })
    }

    /// How long a token may live from `iat` to `exp`: 1 hour, at most 24.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for nothing or more.
    pub fn max_lifetime(self, max_lifetime: Duration) -> Result<Self, Error> {
        if max_lifetime.is_zero() || max_lifetime > MAX_LIFETIME {
            return Err(ErrorKind::Config.into());
        }
        Ok(Self { max_lifetime, ..self })
    }

    /// How much of a token is read.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a limit of zero or over what its field allows.
    pub fn limits(self, limits: Limits) -> Result<Self, Error> {
        Ok(Self { limits: limits.checked()?, ..self })
    }

    /// The service has one tenant only: a token without `tenant` is of tenant `-`. Without this, such a token makes no
    /// [`Principal`](bartizan_core::Principal).
    #[must_use]
    pub fn single_tenant(self) -> Self {
        Self { tenancy: Tenancy::Single, ..self }
    }

    /// Verifies a token.
    ///
    /// # Errors
    /// Before the signature was checked: [`ErrorKind::TooLarge`], [`ErrorKind::Malformed`], [`ErrorKind::Duplicate`],
    /// [`ErrorKind::Critical`], [`ErrorKind::Header`], [`ErrorKind::Algorithm`], [`ErrorKind::Type`], [`ErrorKind::Key`],
    /// [`ErrorKind::Signature`]. After it: the first four about the claims, [`ErrorKind::ClaimType`],
    /// [`ErrorKind::Bound`], [`ErrorKind::MissingClaim`], [`ErrorKind::Issuer`], [`ErrorKind::Audience`],
    /// [`ErrorKind::Lifetime`], [`ErrorKind::Expired`], [`ErrorKind::NotYet`].
    pub fn verify(&self, token: RawToken<'_>) -> Result<Verified, Error> {
        let (json, facts, key) = self.check(token)?;
        Ok(Verified::new(json, facts, key, self.tenancy, ()))
    }

    /// Verifies a token and reads claims of your own, by their names, from the same object as all others.
    ///
    /// # Errors
    /// As [`Verifier::verify`], and [`ErrorKind::ClaimType`] when they are not of the type `C`.
    pub fn verify_with<C: DeserializeOwned>(&self, token: RawToken<'_>) -> Result<Verified<C>, Error> {
        let (json, facts, key) = self.check(token)?;
        let own = serde_json::from_str(&json).map_err(|_| ErrorKind::ClaimType)?;
        Ok(Verified::new(json, facts, key, self.tenancy, own))
    }

    fn check(&self, token: RawToken<'_>) -> Result<(String, Facts, VerifyingKey), Error> {
        let compact = compact::parse(token.untrusted(), &self.limits)?;
        let mut buffer = Buffer::new();
        let header = Header::decode(compact.header, &mut buffer, &self.limits)?;
        // SECURITY: an ID token, a logout token or any other JWT of the same issuer is no access token (RFC 8725 §3.11).
        if !header.typ.as_deref().is_some_and(is_access_token) {
            return Err(ErrorKind::Type.into());
        }
        let key = jws::authenticate(&self.keys, &compact, &header)?;

        // SECURITY: not one claim is decoded before the signature holds.
        let json = base64url::decode(compact.payload).and_then(|bytes| String::from_utf8(bytes).ok());
        let json = json.ok_or(ErrorKind::Malformed)?;
        let claims = Claims::parse(&json, &self.limits)?;
        let expected = Expected {
            issuer: &self.issuer,
            audience: &self.audience,
            now: self.clock.wall(),
            leeway: self.leeway,
            max_lifetime: self.max_lifetime,
        };
        let facts = validate(claims, &json, &expected)?;
        Ok((json, facts, key.clone()))
    }
}

/// `at+jwt`, with `application/` before it or not, in any letter case (RFC 9068 §4, RFC 7515 §4.1.9).
fn is_access_token(typ: &str) -> bool {
    ["at+jwt", "application/at+jwt"].iter().any(|name| typ.eq_ignore_ascii_case(name))
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("keys", &self.keys)
            .field("leeway", &self.leeway)
            .field("max_lifetime", &self.max_lifetime)
            .finish_non_exhaustive()
    }
}
