//! Who acts.

use std::{fmt, net::IpAddr, sync::Arc};

use crate::{Error, ErrorKind, UnixTime, names};

/// How it is known who somebody is. It stands in every record of what they did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Attestation {
    /// A token was verified: signature, issuer, audience, time.
    Token,
    /// A password was verified.
    Password,
    /// A client certificate was verified.
    Certificate,
    /// An operator on this machine, known by the operating system.
    Operator,
    /// This program itself: a job.
    Process,
    /// Nobody checked. Only for tests and examples.
    Assertion,
}

impl Attestation {
    /// The word in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Password => "password",
            Self::Certificate => "certificate",
            Self::Operator => "operator",
            Self::Process => "process",
            Self::Assertion => "assertion",
        }
    }
}

/// In which world somebody acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Realm {
    /// Inside one tenant; never beyond it.
    #[default]
    Tenant,
    /// Across tenants: jobs and operators. Decided by the job policy, and every allow is critical.
    System,
}

/// How strongly somebody was authenticated, in the words of OpenID Connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assurance {
    /// Authentication context class (`acr`).
    pub acr: Option<Box<str>>,
    /// Authentication methods (`amr`, RFC 8176).
    pub amr: Vec<Box<str>>,
    /// When they last proved who they are (`auth_time`).
    pub at: Option<UnixTime>,
}

/// What is known about somebody. Fill what you know and pass it to [`Principal::attested`].
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct PrincipalFacts {
    /// Who: `sub`.
    pub subject: Box<str>,
    /// In which tenant; `-` in a service that has one only.
    pub tenant: Box<str>,
    /// In which world.
    pub realm: Realm,
    /// Roles as the credential names them; at most 64.
    pub roles: Vec<Box<str>>,
    /// Teams; at most 64.
    pub teams: Vec<Box<str>>,
    /// Who vouches: the token's `iss`.
    pub issuer: Option<Box<str>>,
    /// The credential's own id: `jti`.
    pub credential: Option<Box<str>>,
    /// The session: `sid`.
    pub session: Option<Box<str>>,
    /// How strongly authenticated.
    pub assurance: Assurance,
    /// Who acts on the subject's behalf (`act`): what both may do is allowed.
    pub actor: Option<Principal>,
    /// When the credential ends; no grant outlives it.
    pub expires: Option<UnixTime>,
    /// The client's address, when a trusted hop gave one.
    pub address: Option<IpAddr>,
    /// The request's id, for correlation.
    pub request: Option<Box<str>>,
}

impl PrincipalFacts {
    /// The two facts without which there is nobody.
    #[must_use]
    pub fn new(tenant: impl Into<Box<str>>, subject: impl Into<Box<str>>) -> Self {
        Self { subject: subject.into(), tenant: tenant.into(), ..Self::default() }
    }

    /// The same with these roles.
    #[must_use]
    pub fn with_roles<S: Into<Box<str>>>(mut self, roles: impl IntoIterator<Item = S>) -> Self {
        self.roles = roles.into_iter().map(Into::into).collect();
        self
    }
}

impl fmt::Debug for PrincipalFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrincipalFacts").field("realm", &self.realm).finish_non_exhaustive()
    }
}

/// Most roles, and most teams, of one principal.
const MAX_GROUPS: usize = 64;

/// Longest chain of actors.
const MAX_ACTORS: usize = 4;

/// Who acts: subject, tenant, roles, session, strength. Cheap to clone.
#[derive(Clone)]
pub struct Principal(Arc<Known>);

struct Known {
    how: Attestation,
    facts: PrincipalFacts,
}

impl Principal {
    /// Vouches for somebody. `how` stands in every record of what they do.
    ///
    /// Verifiers call it; a program that calls it vouches itself. It is public because Rust has no friend crates: search
    /// for its name to see every place where an identity is made.
    ///
    /// # Errors
    /// [`ErrorKind::Name`] for an empty, overlong or unprintable name; [`ErrorKind::TooMany`] for over 64 roles or teams,
    /// or more than four actors.
    pub fn attested(how: Attestation, facts: PrincipalFacts) -> Result<Self, Error> {
        names::check(&facts.subject)?;
        names::check(&facts.tenant)?;
        let optional =
            [&facts.issuer, &facts.credential, &facts.session, &facts.request, &facts.assurance.acr];
        for name in
            optional.into_iter().flatten().chain(&facts.roles).chain(&facts.teams).chain(&facts.assurance.amr)
        {
            names::check(name)?;
        }
        let actors = std::iter::successors(facts.actor.as_ref(), |actor| actor.actor()).count();
        if facts.roles.len() > MAX_GROUPS || facts.teams.len() > MAX_GROUPS || actors > MAX_ACTORS {
            return Err(Error::new(ErrorKind::TooMany));
        }
        Ok(Self(Arc::new(Known { how, facts })))
    }

    /// The same principal as seen in one request.
    ///
    /// # Errors
    /// [`ErrorKind::Name`] when the request id is no printable name.
    pub fn in_request(&self, address: Option<IpAddr>, request: Option<&str>) -> Result<Self, Error> {
        let mut facts = self.0.facts.clone();
        facts.address = address;
        facts.request = request.map(Into::into);
        Self::attested(self.0.how, facts)
    }

    /// How it is known.
    #[must_use]
    pub fn how(&self) -> Attestation {
        self.0.how
    }

    /// Who.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.facts.subject
    }

    /// In which tenant.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.0.facts.tenant
    }

    /// In which world.
    #[must_use]
    pub fn realm(&self) -> Realm {
        self.0.facts.realm
    }

    /// Roles as the credential names them.
    #[must_use]
    pub fn roles(&self) -> &[Box<str>] {
        &self.0.facts.roles
    }

    /// Teams.
    #[must_use]
    pub fn teams(&self) -> &[Box<str>] {
        &self.0.facts.teams
    }

    /// Who vouches.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.0.facts.issuer.as_deref()
    }

    /// The credential's own id.
    #[must_use]
    pub fn credential(&self) -> Option<&str> {
        self.0.facts.credential.as_deref()
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.0.facts.session.as_deref()
    }

    /// How strongly authenticated.
    #[must_use]
    pub fn assurance(&self) -> &Assurance {
        &self.0.facts.assurance
    }

    /// Who acts on the subject's behalf.
    #[must_use]
    pub fn actor(&self) -> Option<&Principal> {
        self.0.facts.actor.as_ref()
    }

    /// When the credential ends.
    #[must_use]
    pub fn expires(&self) -> Option<UnixTime> {
        self.0.facts.expires
    }

    /// The client's address.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.0.facts.address
    }

    /// The request's id.
    #[must_use]
    pub fn request(&self) -> Option<&str> {
        self.0.facts.request.as_deref()
    }
}

/// Subject and tenant are personal data in many services: only the way of attestation and the realm are shown.
impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("how", &self.0.how)
            .field("realm", &self.0.facts.realm)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> PrincipalFacts {
        PrincipalFacts::new("north", "ada")
    }

    #[test]
    fn nobody_without_a_subject_or_tenant() {
        assert!(Principal::attested(Attestation::Assertion, facts()).is_ok());
        for (tenant, subject) in [("", "ada"), ("north", ""), ("north", "a\nb"), ("n\0", "ada")] {
            let error = Principal::attested(Attestation::Assertion, PrincipalFacts::new(tenant, subject))
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Name);
        }
    }

    #[test]
    fn a_65th_role_is_refused() {
        let roles = |n: usize| (0..n).map(|i| format!("r{i}")).collect::<Vec<_>>();
        assert!(Principal::attested(Attestation::Assertion, facts().with_roles(roles(64))).is_ok());
        let error = Principal::attested(Attestation::Assertion, facts().with_roles(roles(65))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooMany);
    }

    #[test]
    fn debug_names_nobody() {
        let shown = format!("{:?}", Principal::attested(Attestation::Token, facts()).unwrap());
        assert!(!shown.contains("ada") && !shown.contains("north"), "{shown}");
    }
}
