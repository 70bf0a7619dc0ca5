//! What a caller says: who logged in, who asks.

use std::net::IpAddr;

use bartizan_core::{Attestation, Principal, PrincipalFacts, RawToken, UnixTime};
use serde::{Deserialize, Serialize};

use crate::{Device, Epochs, Error, ErrorKind, Facts, Note};

/// Somebody proved who they are, and a session is to begin.
///
/// ```
/// use bartizan_sessions::{Device, Login};
///
/// let login = Login::new("north", "ada").roles(["doctor"]).amr(["pwd", "otp"]).acr("urn:example:mfa")
///     .client("web").device(Device::named("Firefox on Linux"));
/// # let _ = login;
/// ```
#[derive(Clone)]
#[must_use]
pub struct Login<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) facts: Facts,
    pub(crate) binding: Option<&'a [u8]>,
    pub(crate) replaces: Option<RawToken<'a>>,
    pub(crate) since: Option<Epochs>,
}

impl<'a> Login<'a> {
    /// Of this subject, just now.
    pub fn new(tenant: &'a str, subject: &'a str) -> Self {
        Self { tenant, subject, facts: Facts::default(), binding: None, replaces: None, since: None }
    }

    /// With these roles, at most 64.
    pub fn roles<S: Into<Box<str>>>(mut self, roles: impl IntoIterator<Item = S>) -> Self {
        self.facts.roles = roles.into_iter().map(Into::into).collect();
        self
    }

    /// In these teams, at most 64.
    pub fn teams<S: Into<Box<str>>>(mut self, teams: impl IntoIterator<Item = S>) -> Self {
        self.facts.teams = teams.into_iter().map(Into::into).collect();
        self
    }

    /// By these methods (`amr`, RFC 8176), at most 16.
    pub fn amr<S: Into<Box<str>>>(mut self, amr: impl IntoIterator<Item = S>) -> Self {
        self.facts.amr = amr.into_iter().map(Into::into).collect();
        self
    }

    /// Under this authentication context (`acr`).
    pub fn acr(mut self, acr: impl Into<Box<str>>) -> Self {
        self.facts.acr = Some(acr.into());
        self
    }

    /// Proved at this time (`auth_time`), where that was not just now; a time that is still to come counts as now.
    pub const fn authenticated_at(mut self, at: UnixTime) -> Self {
        self.facts.auth_time = Some(at.as_secs());
        self
    }

    /// Through this client (`client_id`).
    pub fn client(mut self, client: impl Into<Box<str>>) -> Self {
        self.facts.client = Some(client.into());
        self
    }

    /// On this device, as its owner will recognise it.
    pub fn device(mut self, device: Device) -> Self {
        self.facts.device = device;
        self
    }

    /// Bound to this: a key's thumbprint, a certificate's hash. Whoever uses the credential has to show the same; it is kept as a
    /// hash. For refresh tokens: a browser shows nothing that its cookie could be bound to.
    pub const fn bound_to(mut self, shown: &'a [u8]) -> Self {
        self.binding = Some(shown);
        self
    }

    /// In the place of the session whose cookie the browser still sent: that session ends, whoever's it was.
    ///
    /// # Security
    /// Say it whenever there was a cookie, or somebody else's session lives on in this browser (session fixation).
    pub const fn instead_of(mut self, cookie: Option<RawToken<'a>>) -> Self {
        self.replaces = cookie;
        self
    }

    /// Proved by what was valid in these epochs: ask for them with [`Sessions::epochs`](crate::Sessions::epochs) *before* the
    /// password is verified. If everything of the subject was ended since, nothing begins, and it is
    /// [`Refused`](crate::ErrorKind::Refused).
    ///
    /// # Security
    /// A password takes long to verify. Who shows the old one while it is being changed would else come in after all were thrown
    /// out.
    pub const fn since(mut self, epochs: Epochs) -> Self {
        self.since = Some(epochs);
        self
    }

    /// What the session's principals will be made of has to make one.
    pub(crate) fn check(&self) -> Result<(), Error> {
        check_facts(self.tenant, self.subject, &self.facts)
    }
}

/// Shows nobody's name.
impl std::fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("is_bound", &self.binding.is_some()).finish_non_exhaustive()
    }
}

pub(crate) fn check_facts(tenant: &str, subject: &str, facts: &Facts) -> Result<(), Error> {
    let principal = principal_facts(tenant, subject, facts).with_request(facts.client.as_deref());
    let device = [&facts.device.name, &facts.device.address];
    let is_shown =
        |text: &str| Principal::attested(Attestation::Session, PrincipalFacts::new("-", text)).is_ok();
    let is_good = Principal::attested(Attestation::Session, principal).is_ok()
        && facts.amr.len() <= 16
        && device.into_iter().flatten().all(|text| is_shown(text));
    if is_good { Ok(()) } else { Err(ErrorKind::Limits.into()) }
}

/// What a session says of its owner.
pub(crate) fn principal_facts(tenant: &str, subject: &str, facts: &Facts) -> PrincipalFacts {
    let mut principal = PrincipalFacts::new(tenant, subject)
        .with_roles(&facts.roles)
        .with_teams(&facts.teams)
        .with_acr(facts.acr.as_deref())
        .with_amr(&facts.amr);
    principal.authenticated = facts.auth_time.map(UnixTime::from_secs);
    principal
}

/// Somebody proved who they are once more, or more strongly: what a session knows from now on. `auth_time` is now.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Proof {
    acr: Option<Box<str>>,
    amr: Option<Vec<Box<str>>>,
    roles: Option<Vec<Box<str>>>,
}

impl Proof {
    /// By the same means as before.
    pub fn new() -> Self {
        Self::default()
    }

    /// Under this authentication context (`acr`).
    pub fn acr(mut self, acr: impl Into<Box<str>>) -> Self {
        self.acr = Some(acr.into());
        self
    }

    /// By these methods (`amr`, RFC 8176), at most 16.
    pub fn amr<S: Into<Box<str>>>(mut self, amr: impl IntoIterator<Item = S>) -> Self {
        self.amr = Some(amr.into_iter().map(Into::into).collect());
        self
    }

    /// With these roles from now on, more or fewer, at most 64.
    pub fn roles<S: Into<Box<str>>>(mut self, roles: impl IntoIterator<Item = S>) -> Self {
        self.roles = Some(roles.into_iter().map(Into::into).collect());
        self
    }

    /// The facts as they are from now on.
    pub(crate) fn applied_to(&self, facts: &Facts, now: UnixTime) -> Facts {
        let mut facts = facts.clone();
        facts.auth_time = Some(now.as_secs());
        if let Some(acr) = &self.acr {
            facts.acr = Some(acr.clone());
        }
        if let Some(amr) = &self.amr {
            facts.amr.clone_from(amr);
        }
        if let Some(roles) = &self.roles {
            facts.roles.clone_from(roles);
        }
        facts
    }
}

/// Who asks, in which request, from where: what the audit record says beside what happened.
///
/// # Security
/// Nothing here is believed or decided on: whether somebody may end another one's sessions is the policy's to say before.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct By<'a> {
    actor: Option<&'a Principal>,
    request: Option<&'a str>,
    address: Option<IpAddr>,
}

impl<'a> By<'a> {
    /// The subject itself.
    pub const fn owner() -> Self {
        Self { actor: None, request: None, address: None }
    }

    /// Somebody else, such as an administrator, in the request and from the address that they are known with.
    pub fn principal(actor: &'a Principal) -> Self {
        Self { actor: Some(actor), request: actor.request(), address: actor.address() }
    }

    /// In the request of this id.
    pub const fn request(mut self, request: &'a str) -> Self {
        self.request = Some(request);
        self
    }

    /// From this address, as a trusted hop gave it.
    pub const fn at(mut self, address: IpAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// What a store keeps: at most 1 KiB.
    pub(crate) fn to_note(self) -> Result<Note, Error> {
        let said = Said {
            tenant: self.actor.map(|actor| actor.tenant().into()),
            subject: self.actor.map(|actor| actor.subject().into()),
            request: self.request.map(Into::into),
            address: self.address,
        };
        let text = serde_json::to_string(&said).map_err(|_| Error::new(ErrorKind::Limits))?;
        if text.len() > MAX_NOTE { Err(ErrorKind::Limits.into()) } else { Ok(Note(text.into())) }
    }
}

const MAX_NOTE: usize = 1024;

/// What a note holds.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Said {
    #[serde(rename = "by_tenant", skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<Box<str>>,
    #[serde(rename = "by", skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<IpAddr>,
}

impl Said {
    /// What cannot be read says nothing: the entry is worth more than its note.
    pub(crate) fn read(note: &Note) -> Self {
        serde_json::from_str(&note.0).unwrap_or_default()
    }
}
