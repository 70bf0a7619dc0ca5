//! Access tokens that were verified, and whom they speak of.

use std::{fmt, sync::Arc};

use bartizan_core::{Attestation, Principal, PrincipalFacts, UnixTime};

use crate::{Algorithm, Error, ErrorKind, TokenId, facts::Facts};

/// An access token that was verified: signature first, then every claim. Only a [`Verifier`](crate::Verifier) makes one. `C`
/// holds the claims of your own that [`Verifier::verify_with`](crate::Verifier::verify_with) read.
///
/// It owns what it holds, and is `Clone`, `Send`, `Sync` and `'static` where `C` is: it fits the extensions of a request. It says
/// what was true when it was verified; it does not watch the clock.
#[derive(Clone)]
pub struct Verified<C = ()> {
    facts: Held,
    own: C,
}

/// Facts of this token alone, or such that a cache holds as well.
#[expect(clippy::large_enum_variant, reason = "A box would be the second allocation of every verification.")]
#[derive(Clone)]
pub(crate) enum Held {
    Alone(Facts),
    Shared(Arc<Facts>),
}

impl std::ops::Deref for Held {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        match self {
            Self::Alone(facts) => facts,
            Self::Shared(facts) => facts,
        }
    }
}

impl<C> Verified<C> {
    #[inline]
    pub(crate) const fn new(facts: Held, own: C) -> Self {
        Self { facts, own }
    }

    /// To be judged before anybody sees it.
    pub(crate) const fn facts_mut(&mut self) -> &mut Held {
        &mut self.facts
    }

    /// Who it speaks of (`sub`). A subject is unique only together with its issuer.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.facts.subject()
    }

    /// Who issued it (`iss`).
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.facts.issuer()
    }

    /// For whom it is (`aud`); the verifier's audience is among them.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.facts.audiences()
    }

    /// Through which client it was asked for (`client_id`). Always there, unless the issuer's
    /// [`TokenShape`](crate::TokenShape) does without.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.facts.client_id()
    }

    /// Its id (`jti`), unique for its issuer. Revocation and replay checks go by it and never by the token's text. Always there,
    /// unless the issuer's [`TokenShape`](crate::TokenShape) does without.
    #[must_use]
    pub fn jti(&self) -> Option<&str> {
        self.facts.jti()
    }

    /// All that it can be revoked by.
    #[must_use]
    pub fn id(&self) -> TokenId<'_> {
        self.facts.id()
    }

    /// When it was issued (`iat`).
    #[must_use]
    pub fn issued_at(&self) -> UnixTime {
        self.facts.times.issued_at
    }

    /// From when on it is no longer valid (`exp`).
    #[must_use]
    pub fn expires(&self) -> UnixTime {
        self.facts.times.expires
    }

    /// In which tenant (`tenant`): what the token says, or the one that its
    /// [`TrustedIssuer`](crate::TrustedIssuer) speaks for, or `-` when the verifier is for a single tenant.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.facts.tenant()
    }

    /// Roles (`roles`).
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.facts.roles()
    }

    /// Groups (`groups`).
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.facts.groups()
    }

    /// The session (`sid`).
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.facts.session()
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

    /// When the subject proved who they are (`auth_time`).
    #[must_use]
    pub fn auth_time(&self) -> Option<UnixTime> {
        self.facts.auth_time()
    }

    /// Who acts on the subject's behalf (the `sub` of `act`), as the same issuer knows them.
    #[must_use]
    pub fn actor(&self) -> Option<&str> {
        self.facts.actor()
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

    /// The claims of your own, owned. What the token says besides is dropped.
    #[must_use]
    pub fn into_own(self) -> C {
        self.own
    }

    /// All claims, as the JSON that was signed.
    #[must_use]
    pub fn claims_json(&self) -> &str {
        self.facts.claims_json()
    }

    /// Who acts: subject, tenant, roles, groups as teams, session, strength, actor, issuer, `jti`, end. Permissions that a
    /// token may list are ignored: what a role may do is the policy's to say.
    ///
    /// An actor is a principal of the same tenant and issuer without roles of its own.
    ///
    /// # Errors
    /// [`ErrorKind::MissingClaim`] when the token names no tenant and the verifier is not for a single tenant.
    pub fn principal(&self) -> Result<Principal, Error> {
        let tenant = self.tenant().ok_or(Error::about(ErrorKind::MissingClaim, "tenant"))?;
        let mut facts = PrincipalFacts::new(tenant, self.subject())
            .with_roles(self.roles())
            .with_teams(self.groups())
            .with_issuer(self.issuer())
            .with_credential(self.jti())
            .with_session(self.session())
            .with_acr(self.acr())
            .with_amr(self.amr());
        facts.authenticated = self.auth_time();
        facts.expires = Some(self.expires());
        if let Some(actor) = self.actor() {
            let mut facts_of_actor = PrincipalFacts::new(tenant, actor).with_issuer(self.issuer());
            facts_of_actor.expires = Some(self.expires());
            facts.actor = Some(attested(facts_of_actor)?);
        }
        attested(facts)
    }
}

/// Claims have been held to the same rules as principals, so this does not fail.
fn attested(facts: PrincipalFacts) -> Result<Principal, Error> {
    Principal::attested(Attestation::Token, facts).map_err(|_| ErrorKind::ClaimType.into())
}

/// Shows which key verified it and when it ends, and nobody's name.
impl<C> fmt::Debug for Verified<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("key", &self.facts.key)
            .field("expires", &self.expires())
            .finish_non_exhaustive()
    }
}
