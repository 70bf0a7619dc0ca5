//! The road that tokens of every kind take: limits, header, issuer, key, signature, then claims.

use std::{fmt, sync::Arc, time::Duration};

use bartizan_core::{Clock, RawToken, UnixTime};

use crate::{
    Error, ErrorKind, Limits, TrustedIssuer, VerifyingKey, base64url,
    claims::Claims,
    compact::{self, Compact},
    facts::Facts,
    header::{Buffer, Header},
    jws,
    scan::Scanner,
    strict::members,
    text::ClaimsText,
    token_shape::Profile,
    trusted_issuer::{Issuers, LIFETIME, Tenancy, Trusted, is_lifetime},
    validate::{Expected, validate},
};

/// What every verifier is made of.
pub(crate) struct Road {
    issuers: Issuers,
    clock: Arc<dyn Clock>,
    leeway: Duration,
    max_lifetime: Duration,
    limits: Limits,
    tenancy: Tenancy,
}

/// How far clocks may be apart, unless said otherwise.
const LEEWAY: Duration = Duration::from_secs(30);

const MAX_LEEWAY: Duration = Duration::from_secs(5 * 60);

impl Road {
    pub(crate) fn new(
        profile: Profile,
        issuers: impl IntoIterator<Item = TrustedIssuer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        Ok(Self {
            issuers: Issuers::new(profile, issuers)?,
            clock,
            leeway: LEEWAY,
            max_lifetime: LIFETIME,
            limits: Limits::DEFAULT,
            tenancy: Tenancy::Named,
        })
    }

    pub(crate) fn leeway(self, leeway: Duration) -> Result<Self, Error> {
        if leeway > MAX_LEEWAY {
            return Err(ErrorKind::Config.into());
        }
        Ok(Self { leeway, ..self })
    }

    pub(crate) fn max_lifetime(self, max_lifetime: Duration) -> Result<Self, Error> {
        if !is_lifetime(max_lifetime) {
            return Err(ErrorKind::Config.into());
        }
        Ok(Self { max_lifetime, ..self })
    }

    pub(crate) fn limits(self, limits: Limits) -> Result<Self, Error> {
        Ok(Self { limits: limits.checked()?, ..self })
    }

    pub(crate) fn tenancy(self, tenancy: Tenancy) -> Self {
        Self { tenancy, ..self }
    }

    pub(crate) const fn leeway_is(&self) -> Duration {
        self.leeway
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.clock.wall()
    }

    /// The first step: three parts within limits.
    pub(crate) fn take_apart<'t>(&self, token: RawToken<'t>) -> Result<Compact<'t>, Error> {
        compact::parse(token.untrusted(), &self.limits)
    }

    /// The rest of the road: signature, issuer, audience and times are right.
    pub(crate) fn check(&self, compact: &Compact<'_>, now: UnixTime) -> Result<Facts, Error> {
        if let Some(trusted) = self.issuers.only()
            && let Ok(loaded) = trusted.keys.load(now)
            && let Some(known) = loaded.snapshot()?.headers.find(compact.header, &self.limits)
        {
            // The same header as in a token that these keys verified: it need not be read again.
            trusted.check_type(known.typ.as_deref())?;
            known.key.verify(compact.signed, compact.signature)?;
            return self.check_claims(decode(compact)?, trusted, &known.key, loaded.snapshot()?.epoch, now);
        }
        self.check_unknown_header(compact, now)
    }

    fn check_unknown_header(&self, compact: &Compact<'_>, now: UnixTime) -> Result<Facts, Error> {
        let mut buffer = Buffer::new();
        let header = Header::decode(compact.header, &mut buffer, &self.limits)?;
        // SECURITY: with one issuer not one claim is decoded before the signature holds. With several, `iss` alone is read to
        // choose whose keys have to verify it, and is read again with all other claims once they did.
        let (trusted, peeked) = match self.issuers.only() {
            Some(only) => (only, None),
            None => {
                let json = decode(compact)?;
                (self.route(&json)?, Some(json))
            }
        };
        trusted.check_type(header.typ.as_deref())?;
        let loaded = trusted.keys.load(now)?;
        let snapshot = loaded.snapshot()?;
        let key = match jws::authenticate(&snapshot.keys, compact, &header) {
            Err(error) if error.kind() == ErrorKind::Key => {
                header.kid.iter().for_each(|kid| trusted.keys.unknown(kid));
                return Err(error);
            }
            authenticated => authenticated?,
        };
        let json = match peeked {
            Some(json) => json,
            None => decode(compact)?,
        };
        let facts = self.check_claims(json, trusted, key, snapshot.epoch, now)?;
        // SECURITY: only here, where everything about the token was found good.
        snapshot.headers.remember(compact.header, &self.limits, &header, key);
        Ok(facts)
    }

    /// Everything about the claims of a token whose signature holds.
    fn check_claims(
        &self,
        json: String,
        trusted: &Trusted,
        key: &VerifyingKey,
        epoch: u64,
        now: UnixTime,
    ) -> Result<Facts, Error> {
        let mut claims = Claims::parse(&json, trusted.shape.names(), &self.limits)?;
        let json = ClaimsText::new(json, &std::mem::take(&mut claims.unescaped));
        let expected = Expected {
            issuer: &trusted.name,
            audience: &trusted.audience,
            shape: &trusted.shape,
            now,
            leeway: self.leeway,
            max_lifetime: trusted.max_lifetime.unwrap_or(self.max_lifetime),
        };
        let times = validate(&claims, json.all(), &expected)?;
        let tenancy = trusted.tenancy.as_ref().unwrap_or(&self.tenancy);
        // SECURITY: an issuer that one tenant runs says nothing about another tenant's people.
        if let (Tenancy::Of(tenant), Some(named)) = (tenancy, &claims.optional.tenant)
            && named.read(json.all()) != &**tenant
        {
            return Err(Error::about(ErrorKind::Tenant, "tenant"));
        }
        let (key, tenancy) = (key.clone(), tenancy.clone());
        Ok(Facts { json, claims, times, key, epoch, tenancy })
    }

    /// For whom tokens of this issuer have to be.
    ///
    /// # Errors
    /// [`ErrorKind::Issuer`].
    pub(crate) fn audience_of(&self, issuer: &str) -> Result<&str, Error> {
        let trusted = self.issuers.named(issuer).ok_or(ErrorKind::Issuer)?;
        Ok(&trusted.audience)
    }

    /// The epoch of this issuer's keys now.
    ///
    /// # Errors
    /// [`ErrorKind::KeysUnavailable`] when there are none to be believed, [`ErrorKind::Issuer`].
    pub(crate) fn epoch_of(&self, issuer: &str, now: UnixTime) -> Result<u64, Error> {
        let trusted = self.issuers.named(issuer).ok_or(ErrorKind::Issuer)?;
        Ok(trusted.keys.load(now)?.snapshot()?.epoch)
    }

    /// Whose keys have to verify it. Proves nothing.
    fn route(&self, json: &str) -> Result<&Trusted, Error> {
        // All of the text is read, so that a second `iss` is seen.
        let issuer = Scanner::read(json, self.limits.values, self.limits.depth, |scan| {
            let mut issuer = None;
            let mut seen = scan.members()?;
            while let Some(name) = scan.next(&mut seen)? {
                match name {
                    Some(Peeked::Issuer) => issuer = Some(scan.string()?),
                    None => scan.skip()?,
                }
            }
            Ok(issuer)
        })?;
        let issuer = issuer.ok_or_else(|| Error::about(ErrorKind::MissingClaim, "iss"))?;
        self.issuers.named(&issuer).ok_or_else(|| ErrorKind::Issuer.into())
    }
}

impl Trusted {
    /// SECURITY: an ID token, a logout token or any other JWT of the same issuer is no access token (RFC 8725 §3.11).
    fn check_type(&self, typ: Option<&str>) -> Result<(), Error> {
        if self.shape.has_type(typ) { Ok(()) } else { Err(ErrorKind::Type.into()) }
    }
}

fn decode(compact: &Compact<'_>) -> Result<String, Error> {
    let json = base64url::decode(compact.payload).and_then(|bytes| String::from_utf8(bytes).ok());
    json.ok_or_else(|| ErrorKind::Malformed.into())
}

impl fmt::Debug for Road {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Road")
            .field("issuers", &self.issuers)
            .field("leeway", &self.leeway)
            .field("max_lifetime", &self.max_lifetime)
            .finish_non_exhaustive()
    }
}

members! {
    enum Peeked {
        Issuer = "iss",
    }
}
