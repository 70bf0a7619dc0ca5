//! Verifies access tokens: signature first, then every claim.

use std::{fmt, sync::Arc, time::Duration};

use bartizan_core::{Clock, RawToken, UnixTime};
use serde::de::DeserializeOwned;

use crate::{
    Error, ErrorKind, KeySource, Limits, Revocations, TokenCache, TrustedIssuer, Verified,
    claims::Name,
    compact::Compact,
    facts::Facts,
    road::{Authentic, Road, Under},
    scan::{Members, Record},
    token_cache::View,
    token_shape::Profile,
    trusted_issuer::Tenancy,
    verified::Held,
};

/// Verifies access tokens of RFC 9068, from one issuer or several.
///
/// Issuer, audience and keys are given when it is made; there is no verifier without them. Which algorithms are accepted
/// follows from the keys. Every token needs `iss`, `sub`, `aud`, `exp`, `iat`, `jti` and `client_id`, and the type `at+jwt`,
/// unless the [`TokenShape`](crate::TokenShape) of its issuer says otherwise.
///
/// ```
/// # use std::sync::Arc;
/// # use bartizan_core::{Clock, os};
/// # use bartizan_tokens::{Error, KeySource, TokenShape, TrustedIssuer, Verifier};
/// # fn verifiers(own: KeySource, partner: KeySource, pool: KeySource) -> Result<(), Error> {
/// # let clock: Arc<dyn Clock> = Arc::new(os::SystemClock);
/// // One issuer:
/// let verifier = Verifier::access_tokens("https://login.example", "https://api.example", own.clone(), clock.clone())?;
///
/// // Several. Each has keys of its own, and those of another never verify its tokens:
/// let verifier = Verifier::of(
///     [
///         TrustedIssuer::new("https://login.example", "https://api.example", own),
///         TrustedIssuer::new("https://login.partner.example", "https://api.example", partner).tenant("partner"),
///         TrustedIssuer::new("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x", "1example23456789", pool)
///             .shape(TokenShape::cognito_access_tokens()),
///     ],
///     clock,
/// )?;
/// # Ok(())
/// # }
/// ```
///
/// Refused beyond the standards: dates with fractions, `null` for an absent claim, names of over 255 bytes or with control
/// characters or controls of writing direction, members that stand twice or once more in other letter case, headers that bring
/// a key, actors of another issuer, tokens that are bound to a sender's key (`cnf`).
///
/// # Security
/// What the text of a token looks like is no identity: ECDSA signatures have two valid forms. To remember a token, remember
/// its issuer and `jti`.
pub struct Verifier {
    road: Road,
    revocations: Option<Arc<dyn Revocations>>,
    cache: Option<View>,
}

impl Verifier {
    /// For access tokens of this issuer for this audience, both compared byte by byte.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an issuer or audience that is empty, over 255 bytes or unprintable.
    pub fn access_tokens(
        issuer: impl Into<Box<str>>,
        audience: impl Into<Box<str>>,
        keys: impl Into<KeySource>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        Self::of([TrustedIssuer::new(issuer, audience, keys)], clock)
    }

    /// For access tokens of these issuers, at most 64. A token's `iss` chooses the issuer, and then every rule is that issuer's.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for no issuer, over 64, two of one name, a name that is empty, over 255 bytes or unprintable, a
    /// maximal life of nothing or over 24 hours, or a shape that is none of access tokens or doesn't tell them from others.
    pub fn of(
        issuers: impl IntoIterator<Item = TrustedIssuer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        Ok(Self { road: Road::new(Profile::Access, issuers, clock)?, revocations: None, cache: None })
    }

    /// How far an issuer's clock may be from ours: 30 seconds, at most 5 minutes.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for more.
    pub fn leeway(self, leeway: Duration) -> Result<Self, Error> {
        Ok(Self { road: self.road.leeway(leeway)?, ..self }.changed())
    }

    /// How long a token may live from `iat` to `exp`: 1 hour, at most 24. An issuer may have a limit of its own.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for nothing or more.
    pub fn max_lifetime(self, max_lifetime: Duration) -> Result<Self, Error> {
        Ok(Self { road: self.road.max_lifetime(max_lifetime)?, ..self }.changed())
    }

    /// How much of a token is read.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a limit of zero or over what its field allows.
    pub fn limits(self, limits: Limits) -> Result<Self, Error> {
        Ok(Self { road: self.road.limits(limits)?, ..self }.changed())
    }

    /// The service has one tenant only: a token without `tenant` is of tenant `-`. Without this, such a token makes no
    /// [`Principal`](bartizan_core::Principal), unless its issuer speaks for a tenant.
    #[must_use]
    pub fn single_tenant(self) -> Self {
        Self { road: self.road.tenancy(Tenancy::Single), ..self }.changed()
    }

    /// Asks this for every token whether it was revoked.
    #[must_use]
    pub fn revocations(self, revocations: Arc<dyn Revocations>) -> Self {
        Self { revocations: Some(revocations), ..self }.changed()
    }

    /// Remembers in this cache which tokens it verified. Without it every token is verified anew.
    #[must_use]
    pub fn cache(self, cache: &TokenCache) -> Self {
        Self { cache: Some(View::new(cache)), ..self }
    }

    /// SECURITY: what was found good under other rules is not found any more.
    fn changed(self) -> Self {
        Self { cache: self.cache.map(View::renewed), ..self }
    }

    /// Verifies a token.
    ///
    /// # Errors
    /// Before the signature was checked: [`ErrorKind::TooLarge`], [`ErrorKind::Malformed`], [`ErrorKind::Duplicate`],
    /// [`ErrorKind::Critical`], [`ErrorKind::Header`], [`ErrorKind::Algorithm`], [`ErrorKind::Type`], [`ErrorKind::Key`],
    /// [`ErrorKind::Signature`]; with several issuers also [`ErrorKind::Issuer`], and what is wrong with the text of the claims.
    /// After it: the first three about the claims, [`ErrorKind::ClaimType`], [`ErrorKind::Type`], [`ErrorKind::Bound`],
    /// [`ErrorKind::MissingClaim`], [`ErrorKind::Issuer`], [`ErrorKind::Audience`], [`ErrorKind::Lifetime`],
    /// [`ErrorKind::Expired`], [`ErrorKind::NotYet`], [`ErrorKind::Tenant`], [`ErrorKind::Revoked`].
    ///
    /// An outage, and no judgement of the token: [`ErrorKind::KeysUnavailable`], [`ErrorKind::RevocationsUnavailable`].
    pub fn verify(&self, token: RawToken<'_>) -> Result<Verified, Error> {
        if self.cache.is_some() {
            return Ok(Verified::new(self.check(token, &mut ())?, ()));
        }
        let now = self.road.now();
        let compact = self.road.take_apart(token)?;
        let Authentic { facts, under } = self.road.authenticate(&compact, now)?;
        // Judged in the place where it is answered: it is large to be moved.
        let mut verified = Ok(Verified::new(Held::Alone(Facts::of(facts)), ()));
        if let Ok(unjudged) = &mut verified
            && let Held::Alone(facts) = unjudged.facts_mut()
            && let Err(error) = self.judge(facts, &under, &compact, now, &mut ())
        {
            verified = Err(error);
        }
        verified
    }

    /// Verifies a token and reads claims of your own, by their names, from the same object as all others.
    ///
    /// A struct is shown those registered claims that it has a field for; who implements `Deserialize` by hand names them as
    /// fields. Any other type sees all claims. What [`Issuer::issue_with`](crate::Issuer::issue_with) wrote.
    ///
    /// # Errors
    /// As [`Verifier::verify`], and [`ErrorKind::ClaimType`] when they are not of the type `C`.
    pub fn verify_with<C: DeserializeOwned>(&self, token: RawToken<'_>) -> Result<Verified<C>, Error> {
        let mut members = Members::new();
        if self.cache.is_none() {
            // Moved once, when all is known of it: it is large to be moved.
            let mut place = None;
            let json = self.check_recorded(token, &mut place, &mut members)?;
            let own = members.read::<C, Name>(json)?;
            // INVARIANT(checked): what was checked is in its place.
            let facts = place.ok_or(ErrorKind::Malformed)?;
            return Ok(Verified::new(Held::Alone(facts), own));
        }
        let facts = self.check_held(token, &mut members)?;
        let own = if members.is_empty() {
            // It was in the cache.
            Members::read_again::<C, Name>(facts.claims_json(), facts.claims.present)?
        } else {
            members.read::<C, Name>(facts.json.all())?
        };
        Ok(Verified::new(facts, own))
    }

    /// The type of somebody's claims is known where they call, and what depends on it is compiled there; this is not.
    fn check_recorded<'p>(
        &self,
        token: RawToken<'_>,
        place: &'p mut Option<Facts>,
        members: &mut Members,
    ) -> Result<&'p str, Error> {
        let now = self.road.now();
        let compact = self.road.take_apart(token)?;
        let Authentic { facts, under } = self.road.authenticate(&compact, now)?;
        let facts = place.insert(Facts::of(facts));
        self.judge(facts, &under, &compact, now, members)?;
        Ok(facts.json.all())
    }

    fn check_held(&self, token: RawToken<'_>, members: &mut Members) -> Result<Held, Error> {
        self.check(token, members)
    }

    fn check(&self, token: RawToken<'_>, record: &mut impl Record) -> Result<Held, Error> {
        let now = self.road.now();
        let Some(cache) = &self.cache else {
            return Ok(Held::Alone(self.check_anew(token, now, record)?));
        };
        let Some(place) = cache.place(token.untrusted()) else {
            return Ok(Held::Alone(self.check_anew(token, now, record)?));
        };
        if let Some(facts) = cache.find(&place, now) {
            match self.is_as_verified(&facts, now) {
                Ok(true) => {
                    cache.hit(&place);
                    return Ok(Held::Shared(facts));
                }
                // Not the token's doing, so that it may be good again a moment later.
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => {
                    cache.forget(&place);
                    return Err(error);
                }
                Ok(false) => cache.forget(&place),
            }
        }
        cache.miss(&place);
        // SECURITY: what is refused leaves here, and is not held.
        let facts = Arc::new(self.check_anew(token, now, record)?);
        cache.hold(&place, &facts, now);
        Ok(Held::Shared(facts))
    }

    #[inline]
    fn check_anew(
        &self,
        token: RawToken<'_>,
        now: UnixTime,
        record: &mut impl Record,
    ) -> Result<Facts, Error> {
        let compact = self.road.take_apart(token)?;
        let Authentic { facts, under } = self.road.authenticate(&compact, now)?;
        let mut facts = Facts::of(facts);
        self.judge(&mut facts, &under, &compact, now, record)?;
        Ok(facts)
    }

    fn judge(
        &self,
        facts: &mut Facts,
        under: &Under<'_>,
        compact: &Compact<'_>,
        now: UnixTime,
        record: &mut impl Record,
    ) -> Result<(), Error> {
        self.road.judge(facts, under, compact, now, record)?;
        facts.check_names()?;
        self.check_revocation(facts)
    }

    /// Whether a token that was verified before, by this verifier, would be verified now: the same keys, its time, not revoked.
    /// `false` when the keys are no longer the same, so that it has to be verified anew.
    pub(crate) fn is_as_verified(&self, facts: &Facts, now: UnixTime) -> Result<bool, Error> {
        if self.road.epoch_of(facts.issuer(), now)? != facts.epoch {
            return Ok(false);
        }
        facts.times.contain(now, self.road.leeway_is())?;
        self.check_revocation(facts)?;
        Ok(true)
    }

    fn check_revocation(&self, facts: &Facts) -> Result<(), Error> {
        match self.revocations.as_ref().map(|revocations| revocations.is_revoked(&facts.id())) {
            None | Some(Ok(false)) => Ok(()),
            Some(Ok(true)) => Err(ErrorKind::Revoked.into()),
            // SECURITY: closed. Who cannot be asked has not said that the token is good.
            Some(Err(_)) => Err(ErrorKind::RevocationsUnavailable.into()),
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("road", &self.road).finish_non_exhaustive()
    }
}
