//! Who acts.

mod texts;

use std::{fmt, net::IpAddr, sync::Arc};

pub use self::texts::Names;
use self::texts::{Texts, USUAL_REST};
use crate::{Error, ErrorKind, UnixTime};

/// How it is known who somebody is. It stands in every record of what they did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Attestation {
    /// A token was verified: signature, issuer, audience, time.
    Token,
    /// A session's cookie was verified.
    Session,
    /// An API key was verified.
    ApiKey,
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
            Self::Session => "session",
            Self::ApiKey => "api_key",
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

/// What is known about somebody. Say what you know and pass it to [`Principal::attested`].
///
/// ```
/// use bartizan_core::{Attestation, Principal, PrincipalFacts};
///
/// let facts = PrincipalFacts::new("north", "ada").with_roles(["doctor"]).with_session("s-1");
/// let ada = Principal::attested(Attestation::Password, facts)?;
/// assert!(ada.roles().contains("doctor"));
/// # Ok::<(), bartizan_core::Error>(())
/// ```
///
/// Texts are copied into one place. What is wrong with one of them is said by [`Principal::attested`].
#[derive(Clone)]
#[non_exhaustive]
pub struct PrincipalFacts {
    texts: Texts,
    /// In which world.
    pub realm: Realm,
    /// When they last proved who they are (`auth_time`).
    pub authenticated: Option<UnixTime>,
    /// Who acts on the subject's behalf (`act`): what both may do is allowed.
    pub actor: Option<Principal>,
    /// When the credential ends; no grant outlives it.
    pub expires: Option<UnixTime>,
    /// The client's address, when a trusted hop gave one.
    pub address: Option<IpAddr>,
}

impl PrincipalFacts {
    /// The two facts without which there is nobody: in which tenant (`-` in a service that has one only), and who (`sub`).
    #[must_use]
    pub fn new(tenant: impl AsRef<str>, subject: impl AsRef<str>) -> Self {
        let (tenant, subject) = (tenant.as_ref(), subject.as_ref());
        let mut texts = Texts::with_capacity(tenant.len() + subject.len() + USUAL_REST);
        texts.tenant = texts.name(tenant);
        texts.subject = texts.name(subject);
        Self {
            texts,
            realm: Realm::default(),
            authenticated: None,
            actor: None,
            expires: None,
            address: None,
        }
    }

    /// With these roles, as the credential names them; at most 64.
    #[must_use]
    pub fn with_roles<S: AsRef<str>>(mut self, roles: impl IntoIterator<Item = S>) -> Self {
        self.texts.roles = self.texts.list(roles);
        self
    }

    /// In these teams; at most 64.
    #[must_use]
    pub fn with_teams<S: AsRef<str>>(mut self, teams: impl IntoIterator<Item = S>) -> Self {
        self.texts.teams = self.texts.list(teams);
        self
    }

    /// Vouched for by this issuer: the token's `iss`.
    #[must_use]
    pub fn with_issuer<'n>(mut self, issuer: impl Into<Option<&'n str>>) -> Self {
        self.texts.issuer = self.texts.maybe(issuer.into());
        self
    }

    /// By a credential of this id: `jti`.
    #[must_use]
    pub fn with_credential<'n>(mut self, credential: impl Into<Option<&'n str>>) -> Self {
        self.texts.credential = self.texts.maybe(credential.into());
        self
    }

    /// In this session: `sid`.
    #[must_use]
    pub fn with_session<'n>(mut self, session: impl Into<Option<&'n str>>) -> Self {
        self.texts.session = self.texts.maybe(session.into());
        self
    }

    /// Under this authentication context class: `acr`.
    #[must_use]
    pub fn with_acr<'n>(mut self, acr: impl Into<Option<&'n str>>) -> Self {
        self.texts.acr = self.texts.maybe(acr.into());
        self
    }

    /// By these authentication methods: `amr`; at most 64.
    #[must_use]
    pub fn with_amr<S: AsRef<str>>(mut self, amr: impl IntoIterator<Item = S>) -> Self {
        self.texts.amr = self.texts.list(amr);
        self
    }

    /// Authenticated so strongly: `acr`, `amr` and `auth_time` in one.
    #[must_use]
    pub fn with_assurance(mut self, assurance: &Assurance) -> Self {
        self.authenticated = assurance.at;
        self.with_acr(assurance.acr.as_deref()).with_amr(&assurance.amr)
    }

    /// With these attributes, as pairs of name and text; at most 64 pairs. A name may stand several times, once for each of its
    /// values: the departments of somebody who has two. A policy's conditions look at them as `subject.NAME`.
    #[must_use]
    pub fn with_attributes<N: AsRef<str>, V: AsRef<str>>(
        mut self,
        attributes: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.texts.attributes = self.texts.pairs(attributes);
        self
    }

    /// In the request of this id, for correlation.
    #[must_use]
    pub fn with_request<'n>(mut self, request: impl Into<Option<&'n str>>) -> Self {
        self.texts.request = self.texts.maybe(request.into());
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

/// Most attributes of one principal.
const MAX_ATTRIBUTES: usize = 64;

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
    /// [`ErrorKind::Name`] for an empty, overlong or unprintable name or attribute; [`ErrorKind::TooMany`] for over 64 roles,
    /// teams, methods or attributes, or more than four actors.
    pub fn attested(how: Attestation, facts: PrincipalFacts) -> Result<Self, Error> {
        if let Some(fault) = facts.texts.fault {
            return Err(Error::new(fault));
        }
        let actors = std::iter::successors(facts.actor.as_ref(), |actor| actor.actor()).count();
        if actors > MAX_ACTORS {
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
        Self::attested(self.0.how, facts.with_request(request))
    }

    /// How it is known.
    #[must_use]
    pub fn how(&self) -> Attestation {
        self.0.how
    }

    /// Who.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.texts().read(self.texts().subject)
    }

    /// In which tenant.
    #[must_use]
    pub fn tenant(&self) -> &str {
        self.texts().read(self.texts().tenant)
    }

    /// In which world.
    #[must_use]
    pub fn realm(&self) -> Realm {
        self.0.facts.realm
    }

    /// Roles as the credential names them.
    #[must_use]
    pub fn roles(&self) -> Names<'_> {
        self.texts().names(self.texts().roles)
    }

    /// Teams.
    #[must_use]
    pub fn teams(&self) -> Names<'_> {
        self.texts().names(self.texts().teams)
    }

    /// Who vouches.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.texts().read_maybe(self.texts().issuer)
    }

    /// The credential's own id.
    #[must_use]
    pub fn credential(&self) -> Option<&str> {
        self.texts().read_maybe(self.texts().credential)
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.texts().read_maybe(self.texts().session)
    }

    /// Under which authentication context class they were authenticated (`acr`).
    #[must_use]
    pub fn acr(&self) -> Option<&str> {
        self.texts().read_maybe(self.texts().acr)
    }

    /// By which methods they were authenticated (`amr`).
    #[must_use]
    pub fn amr(&self) -> Names<'_> {
        self.texts().names(self.texts().amr)
    }

    /// The one attribute of this name, byte by byte; nothing when there is none, or more than one.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let mut values = self.attributes(name);
        let one = values.next()?;
        // SECURITY: which of two would count depends on who put them there, and in which order.
        values.next().is_none().then_some(one)
    }

    /// Every value of the attribute of this name, in the order in which they were given.
    pub fn attributes<'p>(&'p self, name: &str) -> impl Iterator<Item = &'p str> + Clone {
        let mut pairs = self.texts().names(self.texts().attributes).iter();
        let pairs = std::iter::from_fn(move || Some((pairs.next()?, pairs.next()?)));
        pairs.filter(move |(known, _)| *known == name).map(|(_, value)| value)
    }

    /// When they last proved who they are (`auth_time`).
    #[must_use]
    pub fn authenticated(&self) -> Option<UnixTime> {
        self.0.facts.authenticated
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
        self.texts().read_maybe(self.texts().request)
    }

    fn texts(&self) -> &Texts {
        &self.0.facts.texts
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
    fn every_fact_comes_back_and_the_last_word_holds() {
        let strength = Assurance {
            acr: Some("2".into()),
            amr: vec!["pwd".into(), "otp".into()],
            at: Some(UnixTime::from_secs(7)),
        };
        let facts = facts()
            .with_roles(["doctor", "é"])
            .with_teams(Vec::<&str>::new())
            .with_issuer("first")
            .with_issuer("https://auth.example")
            .with_credential("t-1")
            .with_session(None)
            .with_assurance(&strength);
        let ada = Principal::attested(Attestation::Token, facts).unwrap();
        assert_eq!((ada.tenant(), ada.subject()), ("north", "ada"));
        assert_eq!((ada.roles().iter().collect::<Vec<_>>(), ada.roles().len()), (vec!["doctor", "é"], 2));
        assert_eq!((ada.teams().len(), ada.teams().is_empty(), ada.teams().iter().count()), (0, true, 0));
        assert!(
            ada.roles().contains("é") && !ada.roles().contains("doc") && !ada.roles().contains("doctor\né")
        );
        assert_eq!((ada.issuer(), ada.credential()), (Some("https://auth.example"), Some("t-1")));
        assert_eq!((ada.session(), ada.request()), (None, None));
        assert_eq!((ada.acr(), ada.amr().iter().collect::<Vec<_>>()), (Some("2"), vec!["pwd", "otp"]));
        assert_eq!(ada.authenticated(), strength.at);
        let seen = ada.in_request(None, Some("r-1")).unwrap();
        assert_eq!((seen.request(), seen.subject()), (Some("r-1"), "ada"));
        assert_eq!(seen.roles().iter().collect::<Vec<_>>(), ["doctor", "é"]);
    }

    #[test]
    fn names_of_any_length_are_kept_apart() {
        let roles = [1, 2, 9, 10, 127, 128, 254, 255].map(|length| "\u{7a}".repeat(length));
        let ada =
            Principal::attested(Attestation::Token, facts().with_roles(&roles).with_teams(["t"])).unwrap();
        assert_eq!(ada.roles().iter().collect::<Vec<_>>(), roles);
        assert_eq!(ada.teams().iter().collect::<Vec<_>>(), ["t"]);
    }

    #[test]
    fn a_bad_name_anywhere_makes_nobody() {
        for bad in ["", "a\nadmin", "a\u{2028}b", &"x".repeat(256)] {
            for facts in [
                facts().with_roles([bad]),
                facts().with_roles(["good", bad, "good"]),
                facts().with_teams([bad]),
                facts().with_amr([bad]),
                facts().with_attributes([(bad, "good")]),
                facts().with_attributes([("good", "good"), ("good", bad)]),
                facts().with_issuer(bad),
                facts().with_credential(bad),
                facts().with_session(bad),
                facts().with_acr(bad),
                facts().with_request(bad),
                facts().with_session(bad).with_session("good"),
            ] {
                let error = Principal::attested(Attestation::Token, facts).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Name, "{bad:?}");
            }
        }
    }

    #[test]
    fn attributes_are_found_by_their_exact_name() {
        let pairs = [
            ("department", "a"),
            ("departments", "b"),
            ("departments", "department"),
            ("ward", "c"),
            ("b", "x"),
        ];
        let facts = facts().with_attributes([("department", "old")]).with_attributes(pairs);
        let ada = Principal::attested(Attestation::Token, facts.with_amr(["pwd"])).unwrap();
        let ada = ada.in_request(None, None).unwrap();
        assert_eq!(ada.attribute("department"), Some("a"));
        assert_eq!(ada.attribute("departments"), None, "two values are not one");
        assert_eq!(ada.attributes("departments").collect::<Vec<_>>(), ["b", "department"]);
        for unknown in ["", "a", "x", "Department", "depart", "c"] {
            assert_eq!((ada.attribute(unknown), ada.attributes(unknown).count()), (None, 0), "{unknown}");
        }
    }

    #[test]
    fn a_65th_attribute_is_refused() {
        let many = |n: usize| (0..n).map(|i| (format!("a{i}"), "v")).collect::<Vec<_>>();
        let full = Principal::attested(Attestation::Assertion, facts().with_attributes(many(64))).unwrap();
        assert_eq!(full.attribute("a63"), Some("v"));
        let error =
            Principal::attested(Attestation::Assertion, facts().with_attributes(many(65))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooMany);
    }

    #[test]
    fn debug_names_nobody() {
        let shown = format!("{:?}", Principal::attested(Attestation::Token, facts()).unwrap());
        assert!(!shown.contains("ada") && !shown.contains("north"), "{shown}");
    }
}
