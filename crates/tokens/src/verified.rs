//! Tokens that were verified, and whom they speak of.

use std::fmt;

use bartizan_core::{Attestation, Principal, PrincipalFacts, UnixTime};

use crate::{
    Algorithm, Error, ErrorKind, VerifyingKey,
    text::{Text, Texts},
    validate::Facts,
};

/// A token that was verified: signature first, then every claim. Only a [`Verifier`](crate::Verifier) makes one. `C` holds
/// the claims of your own that [`Verifier::verify_with`](crate::Verifier::verify_with) read.
///
/// It says what was true when it was verified; it does not watch the clock.
pub struct Verified<C = ()> {
    /// The claims, which the texts of `facts` are places in.
    json: String,
    facts: Facts,
    key: VerifyingKey,
    tenancy: Tenancy,
    own: C,
}

/// What a token without `tenant` means.
#[derive(Clone, Copy)]
pub(crate) enum Tenancy {
    /// Nobody known.
    Named,
    /// The only tenant.
    Single,
}

/// The tenant of a service that has one only.
const ONLY_TENANT: &str = "-";

impl<C> Verified<C> {
    pub(crate) const fn new(json: String, facts: Facts, key: VerifyingKey, tenancy: Tenancy, own: C) -> Self {
        Self { json, facts, key, tenancy, own }
    }

    /// Who it speaks of (`sub`). A subject is unique only together with its issuer.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.text(&self.facts.subject)
    }

    /// Who issued it (`iss`).
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.text(&self.facts.issuer)
    }

    /// For whom it is (`aud`); the verifier's audience is among them.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.texts(&self.facts.audience)
    }

    /// Through which client it was asked for (`client_id`).
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.text(&self.facts.client_id)
    }

    /// Its id (`jti`), unique for its issuer. Revocation and replay checks go by it and never by the token's text.
    #[must_use]
    pub fn jti(&self) -> &str {
        self.text(&self.facts.jti)
    }

    /// When it was issued (`iat`).
    #[must_use]
    pub const fn issued_at(&self) -> UnixTime {
        self.facts.issued_at
    }

    /// From when on it is no longer valid (`exp`).
    #[must_use]
    pub const fn expires(&self) -> UnixTime {
        self.facts.expires
    }

    /// In which tenant (`tenant`): what the token says, or `-` when the verifier is for a single tenant.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        match (&self.facts.optional.tenant, self.tenancy) {
            (Some(tenant), _) => Some(self.text(tenant)),
            (None, Tenancy::Single) => Some(ONLY_TENANT),
            (None, Tenancy::Named) => None,
        }
    }

    /// Roles (`roles`).
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.texts(&self.facts.optional.roles)
    }

    /// Groups (`groups`).
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.texts(&self.facts.optional.groups)
    }

    /// The session (`sid`).
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.facts.optional.session.as_ref().map(|text| self.text(text))
    }

    /// Authentication context class (`acr`).
    #[must_use]
    pub fn acr(&self) -> Option<&str> {
        self.facts.optional.acr.as_ref().map(|text| self.text(text))
    }

    /// Authentication methods (`amr`).
    pub fn amr(&self) -> impl Iterator<Item = &str> {
        self.texts(&self.facts.optional.amr)
    }

    /// When the subject proved who they are (`auth_time`).
    #[must_use]
    pub fn auth_time(&self) -> Option<UnixTime> {
        self.facts.optional.auth_time.map(UnixTime::from_secs)
    }

    /// Who acts on the subject's behalf (the `sub` of `act`), as the same issuer knows them.
    #[must_use]
    pub fn actor(&self) -> Option<&str> {
        self.facts.optional.actor.as_ref().map(|text| self.text(text))
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

    /// The claims of your own.
    #[must_use]
    pub const fn own(&self) -> &C {
        &self.own
    }

    /// All claims, as the JSON that was signed.
    #[must_use]
    pub fn claims_json(&self) -> &str {
        &self.json
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
        let owned = |texts: &mut dyn Iterator<Item = &str>| texts.map(Into::into).collect();
        let mut facts = PrincipalFacts::new(tenant, self.subject());
        facts.roles = owned(&mut self.roles());
        facts.teams = owned(&mut self.groups());
        facts.issuer = Some(self.issuer().into());
        facts.credential = Some(self.jti().into());
        facts.session = self.session().map(Into::into);
        facts.assurance.acr = self.acr().map(Into::into);
        facts.assurance.amr = owned(&mut self.amr());
        facts.assurance.at = self.auth_time();
        facts.expires = Some(self.expires());
        if let Some(actor) = self.actor() {
            let mut facts_of_actor = PrincipalFacts::new(tenant, actor);
            facts_of_actor.issuer = Some(self.issuer().into());
            facts_of_actor.expires = Some(self.expires());
            facts.actor = Some(attested(facts_of_actor)?);
        }
        attested(facts)
    }

    fn text<'a>(&'a self, text: &'a Text) -> &'a str {
        text.read(&self.json)
    }

    fn texts<'a>(&'a self, texts: &'a Texts) -> impl Iterator<Item = &'a str> {
        texts.iter().map(|text| self.text(text))
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
            .field("key", &self.key)
            .field("expires", &self.expires())
            .finish_non_exhaustive()
    }
}
