//! The road that tokens of every kind take: limits, header, issuer, key, signature, then claims.

use std::{fmt, sync::Arc, time::Duration};

use bartizan_core::{Clock, RawToken, UnixTime};

use crate::{
    Error, ErrorKind, Limits, TrustedIssuer, VerifyingKey, base64url,
    compact::{self, Compact},
    facts::{Facts, Unjudged},
    header::{Buffer, Header},
    jws,
    key_source::{Loaded, Snapshot},
    scan::{Record, Scanner},
    strict::members,
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

    /// The second step: the signature holds, under the keys of the issuer that the token has to be of.
    pub(crate) fn authenticate(&self, compact: &Compact<'_>, now: UnixTime) -> Result<Authentic<'_>, Error> {
        // SECURITY: with one issuer not one claim is decoded before the signature holds. With several, `iss` alone is read to
        // choose whose keys have to verify it, and is read again with all other claims once they did.
        let (trusted, peeked) = match self.issuers.only() {
            Some(only) => (only, None),
            None => {
                let json = decode(compact)?;
                (self.route(&json)?, Some(json))
            }
        };
        let loaded = match trusted.keys.load(now) {
            Ok(loaded) => loaded,
            // A header that is refused is refused whatever keys there are.
            Err(outage) => {
                return Err(self.read_header(compact, trusted, &mut Buffer::new()).err().unwrap_or(outage));
            }
        };
        let snapshot = loaded.snapshot()?;
        let (key, header) = match snapshot.headers.find(compact.header, &self.limits) {
            Some(known) => {
                // The same header as in a token that these keys verified: it need not be read again.
                trusted.check_type(known.typ.as_deref())?;
                known.key.verify(compact.signed, compact.signature)?;
                (known.key.clone(), Seen::Before)
            }
            None => (self.check_new_header(compact, trusted, snapshot)?.clone(), Seen::Never),
        };
        let json = match peeked {
            Some(json) => json,
            None => decode(compact)?,
        };
        let tenancy = trusted.tenancy.as_ref().unwrap_or(&self.tenancy).clone();
        let facts = Unjudged { json, key, epoch: snapshot.epoch, tenancy };
        Ok(Authentic { facts, under: Under { trusted, loaded, header } })
    }

    /// The last step: what the claims say is right. `record` is told of every member.
    pub(crate) fn judge(
        &self,
        facts: &mut Facts,
        under: &Under<'_>,
        compact: &Compact<'_>,
        now: UnixTime,
        record: &mut impl Record,
    ) -> Result<(), Error> {
        let Under { trusted, loaded, header } = under;
        facts.read(trusted.shape.names(), &self.limits, record)?;
        let (claims, json) = (&facts.claims, facts.json.all());
        let expected = Expected {
            issuer: &trusted.name,
            audience: &trusted.audience,
            shape: &trusted.shape,
            now,
            leeway: self.leeway,
            max_lifetime: trusted.max_lifetime.unwrap_or(self.max_lifetime),
        };
        facts.times = validate(claims, json, &expected)?;
        // SECURITY: an issuer that one tenant runs says nothing about another tenant's people.
        if let (Tenancy::Of(tenant), Some(named)) = (&facts.tenancy, &claims.optional.tenant)
            && named.read(json) != &**tenant
        {
            return Err(Error::about(ErrorKind::Tenant, "tenant"));
        }
        if *header == Seen::Never {
            // SECURITY: only here, where everything about the token was found good.
            loaded.snapshot()?.headers.remember(compact.header, &self.limits, &facts.key);
        }
        Ok(())
    }

    fn check_new_header<'k>(
        &self,
        compact: &Compact<'_>,
        trusted: &Trusted,
        snapshot: &'k Snapshot,
    ) -> Result<&'k VerifyingKey, Error> {
        let mut buffer = Buffer::new();
        let header = self.read_header(compact, trusted, &mut buffer)?;
        let authenticated = jws::authenticate(&snapshot.keys, compact, &header);
        if let Err(error) = &authenticated
            && error.kind() == ErrorKind::Key
        {
            header.kid.iter().for_each(|kid| trusted.keys.unknown(kid));
        }
        authenticated
    }

    fn read_header<'b>(
        &self,
        compact: &Compact<'_>,
        trusted: &Trusted,
        buffer: &'b mut Buffer,
    ) -> Result<Header<'b>, Error> {
        let header = Header::decode(compact.header, buffer, &self.limits)?;
        trusted.check_type(header.typ.as_deref())?;
        Ok(header)
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
        // It is read no further than to the first `iss`: a second one is seen when all of the text is read, which it is once the
        // keys of the first have verified it, and before anything of it is believed.
        let issuer = Scanner::begin(json, self.limits.values, self.limits.depth, |scan| {
            let mut seen = scan.members()?;
            while let Some(name) = scan.next(&mut seen)? {
                match name {
                    Some(Peeked::Issuer) => return scan.string().map(Some),
                    None => scan.skip()?,
                }
            }
            Ok(None)
        })?;
        let issuer = issuer.ok_or_else(|| Error::about(ErrorKind::MissingClaim, "iss"))?;
        self.issuers.named(&issuer).ok_or_else(|| ErrorKind::Issuer.into())
    }
}

/// A token whose signature holds, and whose claims have not been judged.
pub(crate) struct Authentic<'r> {
    pub(crate) facts: Unjudged,
    pub(crate) under: Under<'r>,
}

/// By whose rules it is to be judged.
pub(crate) struct Under<'r> {
    trusted: &'r Trusted,
    loaded: Loaded,
    header: Seen,
}

/// Whether a header stood in a token that was verified before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Before,
    Never,
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
