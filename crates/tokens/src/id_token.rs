//! Verifies ID tokens of OpenID Connect.

use std::{fmt, sync::Arc, time::Duration};

use bartizan_core::{Clock, RawToken, UnixTime};
use bartizan_crypto::{Hash, Provider};
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;

use crate::{
    Algorithm, Error, ErrorKind, KeySource, Limits, TrustedIssuer, VerifiedIdToken, base64url,
    claims::Name,
    facts::Facts,
    road::{Authentic, Road},
    scan::{Members, Record},
    token_shape::Profile,
};

/// Verifies ID tokens (OpenID Connect Core 1.0 §3.1.3.7) from one provider or several.
///
/// Every token needs `iss`, `sub`, `aud`, `exp` and `iat`, and the type `JWT` or none. What a login asked for besides is said for
/// each token: see [`Asked`]. A lifetime of over an hour is refused unless [`IdTokenVerifier::max_lifetime`] says more.
///
/// ```
/// # use std::sync::Arc;
/// # use bartizan_core::{Clock, RawToken, os};
/// # use bartizan_tokens::{Asked, Error, IdTokenVerifier, KeySource};
/// # fn login(keys: KeySource, id_token: &str, nonce_of_this_login: &str) -> Result<(), Error> {
/// # let clock: Arc<dyn Clock> = Arc::new(os::SystemClock);
/// let verifier = IdTokenVerifier::new("https://accounts.google.com", "client-1", keys, clock)?;
/// let verified = verifier.verify(RawToken::new(id_token), &Asked::with_nonce(nonce_of_this_login))?;
/// let who = verified.identity();
/// # let _ = who;
/// # Ok(())
/// # }
/// ```
///
/// # Security
/// An ID token says that somebody logged in at a client. It is no key to an API, so that nothing here makes a
/// [`Principal`](bartizan_core::Principal) of it (RFC 8725 §2.8, RFC 9068 §5): make a session, and let that be the credential.
///
/// Some issuers type their access tokens `JWT`, or not at all, and name the client as audience. Only what such a token holds tells it
/// from an ID token: give that issuer a shape with [`TokenShape::with`](crate::TokenShape::with) or
/// [`TokenShape::without`](crate::TokenShape::without), `.without("scope")` for example, and ask for a nonce.
pub struct IdTokenVerifier {
    road: Road,
    audiences: Vec<Box<str>>,
    parties: Vec<Box<str>>,
}

/// What one login asked for, and what the ID token has to answer.
#[derive(Clone)]
#[must_use]
pub struct Asked<'a> {
    nonce: Nonce<'a>,
    max_age: Option<Duration>,
    acr: Option<&'a [&'a str]>,
    access_token: Option<Beside<'a>>,
    code: Option<Beside<'a>>,
}

#[derive(Clone, Copy)]
enum Nonce<'a> {
    Sent(&'a str),
    NotSent,
    /// Of the login that is being renewed.
    Before(Option<&'a str>),
}

/// What came with the ID token.
#[derive(Clone, Copy)]
struct Beside<'a> {
    text: &'a str,
    hash: &'a dyn Hash,
    absent: Absent,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Absent {
    Refused,
    Accepted,
}

impl<'a> Asked<'a> {
    /// The login sent this nonce: the token must have it.
    pub const fn with_nonce(nonce: &'a str) -> Self {
        Self::of(Nonce::Sent(nonce))
    }

    /// The login sent no nonce: the token must have none. What keeps a stolen code from being used is then PKCE alone.
    pub const fn without_nonce() -> Self {
        Self::of(Nonce::NotSent)
    }

    /// The token came for a refresh token, and no login took place now: it has the nonce of the original login or none (Core
    /// §12.2). That issuer and subject are those of the original login is the caller's to compare.
    pub const fn on_refresh(nonce_of_the_login: Option<&'a str>) -> Self {
        Self::of(Nonce::Before(nonce_of_the_login))
    }

    const fn of(nonce: Nonce<'a>) -> Self {
        Self { nonce, max_age: None, acr: None, access_token: None, code: None }
    }

    /// The login asked for an authentication no older than this (`max_age`): the token must have `auth_time`, and it must be so
    /// young, give or take the leeway.
    pub const fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// The login asked for one of these authentication contexts: the token's `acr` must be among them. None is among none.
    pub const fn acr(mut self, any_of: &'a [&'a str]) -> Self {
        self.acr = Some(any_of);
        self
    }

    /// This access token came with it: the token must have an `at_hash`, and it must be of this one (Core §3.1.3.8, §3.2.2.9).
    pub fn access_token(mut self, provider: &'a dyn Provider, token: RawToken<'a>) -> Self {
        self.access_token = Some(Beside::new(provider, token.untrusted(), Absent::Refused));
        self
    }

    /// The same for providers that leave `at_hash` away, as the code flow allows: if it is there, it must be of this one.
    pub fn access_token_if_hashed(mut self, provider: &'a dyn Provider, token: RawToken<'a>) -> Self {
        self.access_token = Some(Beside::new(provider, token.untrusted(), Absent::Accepted));
        self
    }

    /// This code came with it: the token must have a `c_hash`, and it must be of this one (Core §3.3.2.10).
    pub fn code(mut self, provider: &'a dyn Provider, code: &'a str) -> Self {
        self.code = Some(Beside::new(provider, code, Absent::Refused));
        self
    }

    fn check(&self, facts: &Facts, now: UnixTime, leeway: Duration) -> Result<(), Error> {
        // SECURITY: a token of another login, with its nonce or without, is an injected one (Core §3.1.3.7 item 11, §15.5.2).
        let is_answered = match (self.nonce, facts.nonce()) {
            (Nonce::Sent(sent), Some(nonce)) => is_same(sent, nonce),
            (Nonce::Before(Some(sent)), Some(nonce)) => is_same(sent, nonce),
            (Nonce::NotSent | Nonce::Before(_), None) => true,
            (Nonce::Sent(_), None) | (Nonce::NotSent | Nonce::Before(None), Some(_)) => false,
        };
        if !is_answered {
            return Err(ErrorKind::Nonce.into());
        }
        if let Some(max_age) = self.max_age {
            let at = facts.auth_time().ok_or_else(|| missing("auth_time"))?;
            let is_old = now > at.saturating_add(max_age).saturating_add(leeway);
            // One that lies ahead would be young for ever.
            if is_old || at > now.saturating_add(leeway) {
                return Err(Error::about(ErrorKind::Authentication, "auth_time"));
            }
        }
        if let Some(any_of) = self.acr {
            let acr = facts.acr().ok_or_else(|| missing("acr"))?;
            if !any_of.contains(&acr) {
                return Err(Error::about(ErrorKind::Authentication, "acr"));
            }
        }
        let beside = [
            (self.access_token, facts.access_token_hash(), "at_hash"),
            (self.code, facts.code_hash(), "c_hash"),
        ];
        for (beside, hash, claim) in beside {
            if let Some(beside) = beside {
                beside.check(hash, claim, facts.key.algorithm())?;
            }
        }
        Ok(())
    }
}

impl<'a> Beside<'a> {
    fn new(provider: &'a dyn Provider, text: &'a str, absent: Absent) -> Self {
        Self { text, hash: provider.hash(), absent }
    }

    fn check(self, hash: Option<&str>, claim: &'static str, algorithm: Algorithm) -> Result<(), Error> {
        match hash {
            Some(hash) if is_same(&self.half_hash(algorithm), hash) => Ok(()),
            Some(_) => Err(Error::about(ErrorKind::TokenHash, claim)),
            None if self.absent == Absent::Accepted => Ok(()),
            None => Err(missing(claim)),
        }
    }

    /// The left half of the hash that the algorithm has in its name; SHA-512 for Ed25519, which hashes with it inside.
    fn half_hash(self, algorithm: Algorithm) -> String {
        let text = [self.text.as_bytes()];
        let name = algorithm.name();
        if name.ends_with("256") {
            half(&self.hash.sha256(&text))
        } else if name.ends_with("384") {
            half(&self.hash.sha384(&text))
        } else {
            half(&self.hash.sha512(&text))
        }
    }
}

fn half(hash: &[u8]) -> String {
    base64url::encode(hash.get(..hash.len() / 2).unwrap_or_default())
}

fn missing(claim: &'static str) -> Error {
    Error::about(ErrorKind::MissingClaim, claim)
}

fn is_same(expected: &str, text: &str) -> bool {
    expected.as_bytes().ct_eq(text.as_bytes()).into()
}

/// Shows nothing: a nonce, a code and a token are secrets of one login.
impl fmt::Debug for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").finish_non_exhaustive()
    }
}

impl IdTokenVerifier {
    /// For ID tokens of this provider for the client that it knows by this id.
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

    /// For ID tokens of these providers, each of which knows us by a client id of its own.
    ///
    /// # Errors
    /// As [`Verifier::of`](crate::Verifier::of).
    pub fn of(
        issuers: impl IntoIterator<Item = TrustedIssuer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let road = Road::new(Profile::Id, issuers, clock)?;
        Ok(Self { road, audiences: Vec::new(), parties: Vec::new() })
    }

    /// Other audiences that may stand beside our client id. Unless said, none: a token that is for somebody else as well is one
    /// that somebody else has (Core §3.1.3.7 item 3).
    #[must_use]
    pub fn other_audiences<S: Into<Box<str>>>(self, audiences: impl IntoIterator<Item = S>) -> Self {
        Self { audiences: audiences.into_iter().map(Into::into).collect(), ..self }
    }

    /// Other clients that a token may have been issued to (`azp`) when it is for us: the Android client of the same Google
    /// project. Unless said, none.
    #[must_use]
    pub fn authorized_parties<S: Into<Box<str>>>(self, clients: impl IntoIterator<Item = S>) -> Self {
        Self { parties: clients.into_iter().map(Into::into).collect(), ..self }
    }

    /// How far an issuer's clock may be from ours: 30 seconds, at most 5 minutes.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for more.
    pub fn leeway(self, leeway: Duration) -> Result<Self, Error> {
        Ok(Self { road: self.road.leeway(leeway)?, ..self })
    }

    /// How long a token may live from `iat` to `exp`: 1 hour, at most 24. An issuer may have a limit of its own.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for nothing or more.
    pub fn max_lifetime(self, max_lifetime: Duration) -> Result<Self, Error> {
        Ok(Self { road: self.road.max_lifetime(max_lifetime)?, ..self })
    }

    /// How much of a token is read.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a limit of zero or over what its field allows.
    pub fn limits(self, limits: Limits) -> Result<Self, Error> {
        Ok(Self { road: self.road.limits(limits)?, ..self })
    }

    /// Verifies a token that answers this login.
    ///
    /// # Errors
    /// As [`Verifier::verify`](crate::Verifier::verify), but for revocations; and [`ErrorKind::AuthorizedParty`],
    /// [`ErrorKind::Nonce`], [`ErrorKind::Authentication`], [`ErrorKind::TokenHash`].
    pub fn verify(&self, token: RawToken<'_>, asked: &Asked<'_>) -> Result<VerifiedIdToken, Error> {
        Ok(VerifiedIdToken::new(self.check(token, asked, &mut ())?, ()))
    }

    /// Verifies a token and reads claims of your own (`email`, `name` …) from the same object as all others.
    ///
    /// # Errors
    /// As [`IdTokenVerifier::verify`], and [`ErrorKind::ClaimType`] when they are not of the type `C`.
    pub fn verify_with<C: DeserializeOwned>(
        &self,
        token: RawToken<'_>,
        asked: &Asked<'_>,
    ) -> Result<VerifiedIdToken<C>, Error> {
        let mut members = Members::new();
        let facts = self.check_recorded(token, asked, &mut members)?;
        let own = members.read::<C, Name>(facts.json.all())?;
        Ok(VerifiedIdToken::new(facts, own))
    }

    /// Compiled here, and not where the type of somebody's claims is known.
    fn check_recorded(
        &self,
        token: RawToken<'_>,
        asked: &Asked<'_>,
        members: &mut Members,
    ) -> Result<Facts, Error> {
        self.check(token, asked, members)
    }

    fn check(
        &self,
        token: RawToken<'_>,
        asked: &Asked<'_>,
        record: &mut impl Record,
    ) -> Result<Facts, Error> {
        let compact = self.road.take_apart(token)?;
        let now = self.road.now();
        let Authentic { facts, under } = self.road.authenticate(&compact, now)?;
        let mut facts = Facts::of(facts);
        self.road.judge(&mut facts, &under, &compact, now, record)?;
        facts.check_names()?;
        let client_id = self.road.audience_of(facts.issuer())?;
        self.check_parties(&facts, client_id)?;
        asked.check(&facts, now, self.road.leeway_is())?;
        Ok(facts)
    }

    /// SECURITY: Core §3.1.3.7 items 3 to 5. A token for several audiences says to whom it was issued, and that is us.
    fn check_parties(&self, facts: &Facts, client_id: &str) -> Result<(), Error> {
        let among =
            |names: &[Box<str>], name: &str| name == client_id || names.iter().any(|known| **known == *name);
        if !facts.audiences().all(|audience| among(&self.audiences, audience)) {
            return Err(ErrorKind::Audience.into());
        }
        let is_ours = match facts.authorized_party() {
            Some(party) => among(&self.parties, party),
            None => facts.audiences().nth(1).is_none(),
        };
        if is_ours { Ok(()) } else { Err(ErrorKind::AuthorizedParty.into()) }
    }
}

impl fmt::Debug for IdTokenVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdTokenVerifier").field("road", &self.road).finish_non_exhaustive()
    }
}
