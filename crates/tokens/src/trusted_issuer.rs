//! Issuers that a verifier believes, each with keys of its own.

use std::{fmt, sync::Arc, time::Duration};

use crate::{Error, ErrorKind, KeySource, TokenShape, names::is_name, token_shape::Profile};

/// An issuer that a verifier believes: its name, for whom its tokens have to be, and its keys.
///
/// Keys are bound to their issuer: a token is verified with the keys of the issuer that it names and with no others, whatever
/// its `kid`.
#[must_use]
pub struct TrustedIssuer {
    name: Box<str>,
    audience: Box<str>,
    keys: KeySource,
    max_lifetime: Option<Duration>,
    tenancy: Option<Tenancy>,
    shape: Option<TokenShape>,
}

/// What a token says about its tenant, and what that means.
#[derive(Clone)]
pub(crate) enum Tenancy {
    /// Nobody known, unless the token names one.
    Named,
    /// The only tenant, unless the token names one.
    Single,
    /// The tenant that the issuer speaks for, and no other.
    Of(Arc<str>),
}

/// The tenant of a service that has one only.
const ONLY_TENANT: &str = "-";

impl Tenancy {
    /// The tenant that is meant where none is named.
    pub(crate) fn unnamed(&self) -> Option<&str> {
        match self {
            Self::Named => None,
            Self::Single => Some(ONLY_TENANT),
            Self::Of(tenant) => Some(tenant),
        }
    }
}

/// How long tokens may live, unless said otherwise.
pub(crate) const LIFETIME: Duration = Duration::from_secs(60 * 60);

const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Most issuers of one verifier.
const MAX_ISSUERS: usize = 64;

impl TrustedIssuer {
    /// Tokens of this issuer (`iss`), for this audience (`aud`; for ID and logout tokens the client id that the issuer gave us),
    /// verified with these keys. Both names are compared byte by byte, and checked when a verifier is made.
    pub fn new(
        issuer: impl Into<Box<str>>,
        audience: impl Into<Box<str>>,
        keys: impl Into<KeySource>,
    ) -> Self {
        Self {
            name: issuer.into(),
            audience: audience.into(),
            keys: keys.into(),
            max_lifetime: None,
            tenancy: None,
            shape: None,
        }
    }

    /// How long a token of this issuer may live from `iat` to `exp`, at most 24 hours. Unless said, what the verifier says.
    pub const fn max_lifetime(mut self, max_lifetime: Duration) -> Self {
        self.max_lifetime = Some(max_lifetime);
        self
    }

    /// This issuer speaks for this tenant alone: its tokens are of this tenant, and one that names another is refused.
    pub fn tenant(mut self, tenant: impl Into<Box<str>>) -> Self {
        self.tenancy = Some(Tenancy::Of(Arc::from(tenant.into())));
        self
    }

    /// Its tokens don't look as the standard says.
    pub fn shape(mut self, shape: TokenShape) -> Self {
        self.shape = Some(shape);
        self
    }

    fn checked(self, profile: Profile) -> Result<Trusted, Error> {
        let life_fits = self.max_lifetime.is_none_or(is_lifetime);
        let tenant_fits = !matches!(&self.tenancy, Some(Tenancy::Of(tenant)) if !is_name(tenant));
        if !is_name(&self.name) || !is_name(&self.audience) || !life_fits || !tenant_fits {
            return Err(ErrorKind::Config.into());
        }
        let shape = match self.shape {
            Some(shape) => shape.checked(profile)?,
            None => TokenShape::of(profile),
        };
        Ok(Trusted {
            name: self.name,
            audience: self.audience,
            keys: self.keys,
            max_lifetime: self.max_lifetime,
            tenancy: self.tenancy,
            shape,
        })
    }
}

/// Shows issuer, audience, keys and shape.
impl fmt::Debug for TrustedIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedIssuer")
            .field("issuer", &self.name)
            .field("audience", &self.audience)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

pub(crate) fn is_lifetime(lifetime: Duration) -> bool {
    !lifetime.is_zero() && lifetime <= MAX_LIFETIME
}

/// An issuer whose names were checked.
pub(crate) struct Trusted {
    pub(crate) name: Box<str>,
    pub(crate) audience: Box<str>,
    pub(crate) keys: KeySource,
    pub(crate) max_lifetime: Option<Duration>,
    pub(crate) tenancy: Option<Tenancy>,
    pub(crate) shape: TokenShape,
}

impl fmt::Debug for Trusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedIssuer")
            .field("issuer", &self.name)
            .field("audience", &self.audience)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

/// The issuers of one verifier: 1 to 64, in the order of their names, each name once.
#[derive(Debug)]
pub(crate) struct Issuers(Box<[Trusted]>);

impl Issuers {
    /// # Errors
    /// [`ErrorKind::Config`].
    pub(crate) fn new(
        profile: Profile,
        issuers: impl IntoIterator<Item = TrustedIssuer>,
    ) -> Result<Self, Error> {
        // One more is taken than there may be, so that an endless iterator ends.
        let issuers = issuers.into_iter().take(MAX_ISSUERS + 1).map(|issuer| issuer.checked(profile));
        let mut issuers = issuers.collect::<Result<Vec<_>, _>>()?;
        issuers.sort_by(|a, b| a.name.cmp(&b.name));
        // SECURITY: of two issuers of one name, one would sign for the other.
        let is_double = issuers.iter().zip(issuers.iter().skip(1)).any(|(a, b)| a.name == b.name);
        if is_double || !(1..=MAX_ISSUERS).contains(&issuers.len()) {
            return Err(ErrorKind::Config.into());
        }
        Ok(Self(issuers.into()))
    }

    /// The issuer, when there is only one.
    pub(crate) fn only(&self) -> Option<&Trusted> {
        match &*self.0 {
            [only] => Some(only),
            _ => None,
        }
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Trusted> {
        let place = self.0.binary_search_by(|issuer| (*issuer.name).cmp(name)).ok()?;
        self.0.get(place)
    }
}
