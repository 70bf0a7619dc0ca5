//! Verifies logout tokens of OpenID Connect.

use std::{fmt, sync::Arc, time::Duration};

use bartizan_core::{Clock, RawToken, UnixTime};

use crate::{
    Algorithm, Error, ErrorKind, KeySource, Limits, TrustedIssuer, VerifyingKey,
    facts::Facts,
    road::{Authentic, Road},
    text::{ClaimsText, Text},
    token_shape::Profile,
    validate::Times,
};

/// Verifies logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6) from one provider or several.
///
/// Every token needs the type `logout+jwt`, `iss`, `aud`, `iat`, `exp`, `jti`, the logout event whose value is an object, and
/// `sub`, `sid` or both; it has no `nonce`. It lives for ten minutes at most, unless said otherwise: the standard prefers two,
/// though its own example has an hour. Providers from before the
/// final standard send no such type; take theirs with `TokenShape::logout_tokens(["JWT"]).or_untyped()`.
///
/// ```
/// # use std::sync::Arc;
/// # use bartizan_core::{Clock, RawToken, os};
/// # use bartizan_tokens::{Error, KeySource, LogoutTokenVerifier};
/// # fn logout(keys: KeySource, logout_token: &str) -> Result<(), Error> {
/// # let clock: Arc<dyn Clock> = Arc::new(os::SystemClock);
/// let verifier = LogoutTokenVerifier::new("https://login.example", "client-1", keys, clock)?;
/// let logout = verifier.verify(RawToken::new(logout_token))?;
/// // End the sessions of `logout.session()`, or without one all of `logout.subject()`. Remember `logout.jti()` until
/// // `logout.expires()`, and answer a second token of that id without doing it again.
/// # let _ = logout;
/// # Ok(())
/// # }
/// ```
pub struct LogoutTokenVerifier {
    road: Road,
}

/// A logout token that was verified. Only a [`LogoutTokenVerifier`] makes one.
#[derive(Clone)]
pub struct VerifiedLogoutToken {
    json: ClaimsText,
    issuer: Text,
    subject: Option<Text>,
    session: Option<Text>,
    jti: Text,
    times: Times,
    key: VerifyingKey,
}

/// “Preferably at most two minutes” (§2.4), and a few more for a queue on the way. Who has old ones can end sessions again.
const LIFETIME: Duration = Duration::from_secs(10 * 60);

impl LogoutTokenVerifier {
    /// For logout tokens of this provider for the client that it knows by this id.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a name that is empty, over 255 bytes or unprintable.
    pub fn new(
        issuer: impl Into<Box<str>>,
        client_id: impl Into<Box<str>>,
        keys: impl Into<KeySource>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        Self::of([TrustedIssuer::new(issuer, client_id, keys)], clock)
    }

    /// For logout tokens of these providers, each of which knows us by a client id of its own.
    ///
    /// # Errors
    /// As [`Verifier::of`](crate::Verifier::of).
    pub fn of(
        issuers: impl IntoIterator<Item = TrustedIssuer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        Ok(Self { road: Road::new(Profile::Logout, issuers, clock)?.max_lifetime(LIFETIME)? })
    }

    /// How far an issuer's clock may be from ours: 30 seconds, at most 5 minutes.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for more.
    pub fn leeway(self, leeway: Duration) -> Result<Self, Error> {
        Ok(Self { road: self.road.leeway(leeway)? })
    }

    /// How long a token may live from `iat` to `exp`: 10 minutes, at most 24 hours. An issuer may have a limit of its own.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for nothing or more.
    pub fn max_lifetime(self, max_lifetime: Duration) -> Result<Self, Error> {
        Ok(Self { road: self.road.max_lifetime(max_lifetime)? })
    }

    /// How much of a token is read.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a limit of zero or over what its field allows.
    pub fn limits(self, limits: Limits) -> Result<Self, Error> {
        Ok(Self { road: self.road.limits(limits)? })
    }

    /// Verifies a token.
    ///
    /// # Errors
    /// As [`Verifier::verify`](crate::Verifier::verify), but for tenants and revocations. [`ErrorKind::ClaimType`] for events
    /// among which is no logout, [`ErrorKind::Type`] for a token with a nonce.
    pub fn verify(&self, token: RawToken<'_>) -> Result<VerifiedLogoutToken, Error> {
        let compact = self.road.take_apart(token)?;
        let now = self.road.now();
        let Authentic { facts, under } = self.road.authenticate(&compact, now)?;
        let mut checked = Facts::of(facts);
        self.road.judge(&mut checked, &under, &compact, now, &mut ())?;
        let missing = |claim| move || Error::about(ErrorKind::MissingClaim, claim);
        let claims = checked.claims;
        let (subject, session) = (claims.subject, claims.optional.session);
        if subject.is_none() && session.is_none() {
            return Err(missing("sub")());
        }
        // INVARIANT(facts): the shape of logout tokens requires both names, so this does not fail.
        Ok(VerifiedLogoutToken {
            json: checked.json,
            issuer: claims.issuer.ok_or_else(missing("iss"))?,
            subject,
            session,
            jti: claims.jti.ok_or_else(missing("jti"))?,
            times: checked.times,
            key: checked.key,
        })
    }
}

impl fmt::Debug for LogoutTokenVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogoutTokenVerifier").field("road", &self.road).finish_non_exhaustive()
    }
}

impl VerifiedLogoutToken {
    /// The provider (`iss`).
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.issuer.read(self.json.all())
    }

    /// Whose sessions end (`sub`): all of them, unless there is a [`VerifiedLogoutToken::session`].
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_ref().map(|text| text.read(self.json.all()))
    }

    /// Which session at the provider ended (`sid`).
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.session.as_ref().map(|text| text.read(self.json.all()))
    }

    /// Its id (`jti`), by which a second copy is known.
    #[must_use]
    pub fn jti(&self) -> &str {
        self.jti.read(self.json.all())
    }

    /// When it was issued (`iat`).
    #[must_use]
    pub const fn issued_at(&self) -> UnixTime {
        self.times.issued_at
    }

    /// From when on it is no longer valid (`exp`).
    #[must_use]
    pub const fn expires(&self) -> UnixTime {
        self.times.expires
    }

    /// The `kid` of the key that verified it, if the key has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.key.kid()
    }

    /// The algorithm of the key that verified it.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }
}

/// Shows which key verified it and when it ends, and nobody's name.
impl fmt::Debug for VerifiedLogoutToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedLogoutToken")
            .field("key", &self.key)
            .field("expires", &self.times.expires)
            .finish_non_exhaustive()
    }
}
