//! What an access token is to say.

use std::{borrow::Cow, time::Duration};

use bartizan_core::UnixTime;
use serde::Serialize;
use serde_json::Value;

use crate::{
    Error, ErrorKind, Limits, base64url,
    claims::{self, MAX_GROUPS, MAX_METHODS},
    names::{is_name, json_name_string, write_digits},
    own_claims::Writer,
    strict,
};

/// What an access token is to say (RFC 9068 §2.2). The library adds `iss`, `iat`, `exp` and `jti` when it is issued.
///
/// ```
/// use bartizan_tokens::AccessToken;
///
/// let token = AccessToken::new("ada", "https://api.example", "web").tenant("north").roles(["doctor"]).session("s-1");
/// ```
#[derive(Clone)]
#[must_use]
pub struct AccessToken<'a> {
    subject: Cow<'a, str>,
    audience: Cow<'a, str>,
    client_id: Cow<'a, str>,
    tenant: Option<Cow<'a, str>>,
    roles: Vec<Cow<'a, str>>,
    groups: Vec<Cow<'a, str>>,
    session: Option<Cow<'a, str>>,
    acr: Option<Cow<'a, str>>,
    amr: Vec<Cow<'a, str>>,
    auth_time: Option<UnixTime>,
    actor: Option<Cow<'a, str>>,
    lifetime: Duration,
    own: Vec<(Cow<'a, str>, Value)>,
}

/// How long a token lives unless said otherwise.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Longest life of a token that is issued here.
const MAX_LIFETIME: Duration = Duration::from_secs(60 * 60);

impl<'a> AccessToken<'a> {
    /// For this subject, at this one audience, through this client. Lives for 15 minutes.
    pub fn new(
        subject: impl Into<Cow<'a, str>>,
        audience: impl Into<Cow<'a, str>>,
        client_id: impl Into<Cow<'a, str>>,
    ) -> Self {
        Self {
            subject: subject.into(),
            audience: audience.into(),
            client_id: client_id.into(),
            tenant: None,
            roles: Vec::new(),
            groups: Vec::new(),
            session: None,
            acr: None,
            amr: Vec::new(),
            auth_time: None,
            actor: None,
            lifetime: LIFETIME,
            own: Vec::new(),
        }
    }

    /// In this tenant (`tenant`).
    pub fn tenant(mut self, tenant: impl Into<Cow<'a, str>>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// With these roles (`roles`), at most 64.
    pub fn roles<S: Into<Cow<'a, str>>>(mut self, roles: impl IntoIterator<Item = S>) -> Self {
        self.roles = roles.into_iter().map(Into::into).collect();
        self
    }

    /// In these groups (`groups`), at most 64; a principal's teams.
    pub fn groups<S: Into<Cow<'a, str>>>(mut self, groups: impl IntoIterator<Item = S>) -> Self {
        self.groups = groups.into_iter().map(Into::into).collect();
        self
    }

    /// In this session (`sid`).
    pub fn session(mut self, session: impl Into<Cow<'a, str>>) -> Self {
        self.session = Some(session.into());
        self
    }

    /// Under this authentication context (`acr`).
    pub fn acr(mut self, acr: impl Into<Cow<'a, str>>) -> Self {
        self.acr = Some(acr.into());
        self
    }

    /// By these authentication methods (`amr`, RFC 8176), at most 16.
    pub fn amr<S: Into<Cow<'a, str>>>(mut self, amr: impl IntoIterator<Item = S>) -> Self {
        self.amr = amr.into_iter().map(Into::into).collect();
        self
    }

    /// Authenticated at this time (`auth_time`), in whole seconds.
    pub const fn auth_time(mut self, at: UnixTime) -> Self {
        self.auth_time = Some(at);
        self
    }

    /// Used by this party on the subject's behalf (`act`, RFC 8693 §4.1).
    pub fn actor(mut self, actor: impl Into<Cow<'a, str>>) -> Self {
        self.actor = Some(actor.into());
        self
    }

    /// Lives this long: whole seconds, from one second to one hour.
    pub const fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// With a claim of your own. Its name must be none that this library writes or reads, nor one of those in other letter
    /// case.
    pub fn claim(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Value>) -> Self {
        self.own.push((name.into(), value.into()));
        self
    }

    /// Nothing is issued that our own verifier would refuse. Names are checked when they are written.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let lists = [
            ("roles", &self.roles, MAX_GROUPS),
            ("groups", &self.groups, MAX_GROUPS),
            ("amr", &self.amr, MAX_METHODS),
        ];
        if let Some((claim, ..)) = lists.iter().find(|(_, list, most)| list.len() > *most) {
            return Err(Error::about(ErrorKind::Claim, claim));
        }
        if self.auth_time.is_some_and(|at| at.as_secs() < 0) {
            return Err(Error::about(ErrorKind::Claim, "auth_time"));
        }
        if self.lifetime.subsec_nanos() != 0 || self.lifetime.is_zero() || self.lifetime > MAX_LIFETIME {
            return Err(Error::about(ErrorKind::Claim, "exp"));
        }
        let twice = |(i, (name, _)): (usize, &(Cow<'_, str>, Value))| {
            self.own.iter().take(i).any(|(earlier, _)| earlier == name)
        };
        let is_bad =
            |name: &str| !is_name(name) || claims::is_registered(name) || !strict::is_allowed_name(name);
        let bad = self.own.iter().any(|(name, _)| is_bad(name));
        if bad || self.own.iter().enumerate().any(twice) {
            return Err(ErrorKind::Claim.into());
        }
        Ok(())
    }

    /// How long it lives.
    pub(crate) const fn lives(&self) -> Duration {
        self.lifetime
    }

    /// Appends the claims, as JSON, behind the name of the issuer. The id is written as base64url. The object stays open for
    /// [`AccessToken::write_own`].
    ///
    /// # Errors
    /// [`ErrorKind::Claim`] for a name that is none.
    pub(crate) fn write(&self, now: UnixTime, jti: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        // Whole seconds, rounded down: a token is never issued in the future.
        let issued_at = now.as_secs();
        if issued_at < 0 {
            return Err(Error::about(ErrorKind::Claim, "iat"));
        }
        let lifetime = i64::try_from(self.lifetime.as_secs()).map_err(|_| ErrorKind::Claim)?;
        name(out, "sub", br#","sub":"#, &self.subject)?;
        name(out, "aud", br#","aud":"#, &self.audience)?;
        name(out, "client_id", br#","client_id":"#, &self.client_id)?;
        number(out, br#","iat":"#, issued_at);
        number(out, br#","exp":"#, issued_at.saturating_add(lifetime));
        out.extend_from_slice(br#","jti":""#);
        base64url::encode_onto(jti, out);
        out.push(b'"');
        for (claim, member, text) in [
            ("tenant", br#","tenant":"#.as_slice(), &self.tenant),
            ("sid", br#","sid":"#, &self.session),
            ("acr", br#","acr":"#, &self.acr),
        ] {
            if let Some(text) = text {
                name(out, claim, member, text)?;
            }
        }
        for (claim, member, texts) in [
            ("roles", br#","roles":"#.as_slice(), &self.roles),
            ("groups", br#","groups":"#, &self.groups),
            ("amr", br#","amr":"#, &self.amr),
        ] {
            if !texts.is_empty() {
                names(out, claim, member, texts)?;
            }
        }
        if let Some(at) = self.auth_time {
            number(out, br#","auth_time":"#, at.as_secs());
        }
        if let Some(actor) = &self.actor {
            name(out, "act", br#","act":{"sub":"#, actor)?;
            out.push(b'}');
        }
        Ok(())
    }

    /// Appends claims of one's own. What somebody adds is held to what our own verifier reads: depth, number of values, and what
    /// it reads as something else.
    ///
    /// # Errors
    /// [`ErrorKind::Claim`], [`ErrorKind::TooLarge`] for more values or levels than a verifier reads.
    pub(crate) fn write_own(&self, own: &(impl Serialize + ?Sized), out: &mut Vec<u8>) -> Result<(), Error> {
        self.write_given(out)?.members(own, &|name| self.is_taken(name))
    }

    fn write_given<'o>(&self, out: &'o mut Vec<u8>) -> Result<Writer<'o>, Error> {
        let Limits { values, depth, .. } = Limits::DEFAULT;
        let values = values.checked_sub(self.values()).ok_or(ErrorKind::TooLarge)?;
        // One level is the object of all claims.
        let mut writer = Writer::new(out, values, depth - 1);
        self.own.iter().try_for_each(|(name, value)| writer.member(name, value))?;
        Ok(writer)
    }

    fn is_taken(&self, name: &str) -> bool {
        claims::is_registered(name) || self.own.iter().any(|(own, _)| own == name)
    }

    /// Members and elements, all levels together, before claims of one's own.
    fn values(&self) -> usize {
        let texts = [&self.tenant, &self.session, &self.acr, &self.actor];
        let lists = [&self.roles, &self.groups, &self.amr];
        ALWAYS
            + texts.iter().filter(|text| text.is_some()).count()
            + lists.iter().filter(|list| !list.is_empty()).count()
            + lists.iter().map(|list| list.len()).sum::<usize>()
            + usize::from(self.auth_time.is_some())
            + usize::from(self.actor.is_some())
    }
}

/// The claims that every token has.
const ALWAYS: usize = 7;

/// Shows nothing of what the token says: much of it is personal.
impl std::fmt::Debug for AccessToken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessToken").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

/// Appends a name behind that of its member, which is written as it stands here.
fn name(out: &mut Vec<u8>, claim: &'static str, member: &[u8], name: &str) -> Result<(), Error> {
    out.extend_from_slice(member);
    json_name_string(out, name).then_some(()).ok_or(Error::about(ErrorKind::Claim, claim))
}

/// Appends a number that is not negative.
fn number(out: &mut Vec<u8>, member: &[u8], number: i64) {
    out.extend_from_slice(member);
    write_digits(out, number.unsigned_abs());
}

/// Appends an array of names behind the name of its member.
fn names(out: &mut Vec<u8>, claim: &'static str, member: &[u8], names: &[Cow<'_, str>]) -> Result<(), Error> {
    out.extend_from_slice(member);
    for (place, one) in names.iter().enumerate() {
        name(out, claim, if place == 0 { b"[" } else { b"," }, one)?;
    }
    out.push(b']');
    Ok(())
}
