//! ID tokens that were verified, and who logged in.

use std::fmt;

use bartizan_core::{Assurance, UnixTime};

use crate::{Algorithm, facts::Facts};

/// An ID token that was verified. Only an [`IdTokenVerifier`](crate::IdTokenVerifier) makes one. It makes no principal: it is the
/// proof of a login and no credential for an API.
///
/// It owns what it holds, and is `Clone`, `Send`, `Sync` and `'static` where `C` is.
#[derive(Clone)]
pub struct VerifiedIdToken<C = ()> {
    facts: Facts,
    own: C,
}

/// Who logged in, and how, as the provider says. Whose account that is, if anybody's, is the service's to say.
///
/// Accounts are found by issuer and subject together and by nothing else: an e-mail address may change hands.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The provider (`iss`).
    pub issuer: Box<str>,
    /// Who (`sub`), as this provider alone knows them.
    pub subject: Box<str>,
    /// The session at the provider (`sid`): what its logout tokens name.
    pub session: Option<Box<str>>,
    /// The tenant, when the token names one or its issuer speaks for one.
    pub tenant: Option<Box<str>>,
    /// How strongly and when they were authenticated.
    pub assurance: Assurance,
}

/// Shows nobody's name.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl<C> VerifiedIdToken<C> {
    pub(crate) const fn new(facts: Facts, own: C) -> Self {
        Self { facts, own }
    }

    /// Who logged in.
    #[must_use]
    pub fn identity(&self) -> Identity {
        let assurance = Assurance {
            acr: self.acr().map(Into::into),
            amr: self.amr().map(Into::into).collect(),
            at: self.auth_time(),
        };
        Identity {
            issuer: self.issuer().into(),
            subject: self.subject().into(),
            session: self.session().map(Into::into),
            tenant: self.tenant().map(Into::into),
            assurance,
        }
    }

    /// Who logged in (`sub`). A subject is unique only together with its issuer.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.facts.subject()
    }

    /// The provider (`iss`).
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.facts.issuer()
    }

    /// For whom it is (`aud`); our client id is among them.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.facts.audiences()
    }

    /// To whom it was issued (`azp`).
    #[must_use]
    pub fn authorized_party(&self) -> Option<&str> {
        self.facts.authorized_party()
    }

    /// The nonce, which was compared with that of the login.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.facts.nonce()
    }

    /// Its id (`jti`), which most providers leave away.
    #[must_use]
    pub fn jti(&self) -> Option<&str> {
        self.facts.jti()
    }

    /// When it was issued (`iat`).
    #[must_use]
    pub const fn issued_at(&self) -> UnixTime {
        self.facts.times.issued_at
    }

    /// From when on it is no longer valid (`exp`). No session's end follows from it.
    #[must_use]
    pub const fn expires(&self) -> UnixTime {
        self.facts.times.expires
    }

    /// When they proved who they are (`auth_time`).
    #[must_use]
    pub fn auth_time(&self) -> Option<UnixTime> {
        self.facts.auth_time()
    }

    /// Authentication context class (`acr`).
    #[must_use]
    pub fn acr(&self) -> Option<&str> {
        self.facts.acr()
    }

    /// Authentication methods (`amr`).
    pub fn amr(&self) -> impl Iterator<Item = &str> {
        self.facts.amr()
    }

    /// The session at the provider (`sid`).
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.facts.session()
    }

    /// The tenant (`tenant`), or the one that its issuer speaks for.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.facts.tenant()
    }

    /// Roles (`roles`), as the provider says.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.facts.roles()
    }

    /// Groups (`groups`), as the provider says.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.facts.groups()
    }

    /// The `kid` of the key that verified it, if the key has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.facts.key.kid()
    }

    /// The algorithm of the key that verified it.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.facts.key.algorithm()
    }

    /// The claims of your own.
    #[must_use]
    pub const fn own(&self) -> &C {
        &self.own
    }

    /// All claims, as the JSON that was signed.
    #[must_use]
    pub fn claims_json(&self) -> &str {
        self.facts.claims_json()
    }
}

/// Shows which key verified it and when it ends, and nobody's name.
impl<C> fmt::Debug for VerifiedIdToken<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedIdToken")
            .field("key", &self.facts.key)
            .field("expires", &self.expires())
            .finish_non_exhaustive()
    }
}
