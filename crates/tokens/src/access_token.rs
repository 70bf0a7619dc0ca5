//! What an access token is to say.

use std::{borrow::Cow, time::Duration};

use bartizan_core::UnixTime;
use serde_json::Value;

use crate::{
    Error, ErrorKind, Limits, base64url,
    claims::{self, MAX_GROUPS, MAX_METHODS},
    names::{is_name, json_name, json_string},
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

    /// Nothing is issued that our own verifier would refuse.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let named = [
            ("sub", Some(&self.subject)),
            ("aud", Some(&self.audience)),
            ("client_id", Some(&self.client_id)),
            ("tenant", self.tenant.as_ref()),
            ("sid", self.session.as_ref()),
            ("acr", self.acr.as_ref()),
            ("act", self.actor.as_ref()),
        ];
        if let Some((claim, _)) = named.iter().find(|(_, text)| text.is_some_and(|text| !is_name(text))) {
            return Err(Error::about(ErrorKind::Claim, claim));
        }
        let lists = [
            ("roles", &self.roles, MAX_GROUPS),
            ("groups", &self.groups, MAX_GROUPS),
            ("amr", &self.amr, MAX_METHODS),
        ];
        if let Some((claim, ..)) =
            lists.iter().find(|(_, list, most)| list.len() > *most || list.iter().any(|text| !is_name(text)))
        {
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
        Ok(self.check_own()?)
    }

    /// How long it lives.
    pub(crate) const fn lives(&self) -> Duration {
        self.lifetime
    }

    /// Appends the claims, as JSON. The id is written as base64url.
    pub(crate) fn write(
        &self,
        issuer: &str,
        now: UnixTime,
        jti: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        // Whole seconds, rounded down: a token is never issued in the future.
        let issued_at = now.as_secs();
        if issued_at < 0 {
            return Err(Error::about(ErrorKind::Claim, "iat"));
        }
        let lifetime = i64::try_from(self.lifetime.as_secs()).map_err(|_| ErrorKind::Claim)?;
        text(out, br#"{"iss":"#, issuer);
        text(out, br#","sub":"#, &self.subject);
        text(out, br#","aud":"#, &self.audience);
        text(out, br#","client_id":"#, &self.client_id);
        number(out, br#","iat":"#, issued_at);
        number(out, br#","exp":"#, issued_at.saturating_add(lifetime));
        out.extend(br#","jti":""#);
        base64url::encode_onto(jti, out);
        out.push(b'"');
        for (name, value) in [
            (br#","tenant":"#.as_slice(), &self.tenant),
            (br#","sid":"#, &self.session),
            (br#","acr":"#, &self.acr),
        ] {
            value.iter().for_each(|value| text(out, name, value));
        }
        for (name, texts) in [
            (br#","roles":"#.as_slice(), &self.roles),
            (br#","groups":"#, &self.groups),
            (br#","amr":"#, &self.amr),
        ] {
            if !texts.is_empty() {
                list(out, name, texts);
            }
        }
        if let Some(at) = self.auth_time {
            number(out, br#","auth_time":"#, at.as_secs());
        }
        if let Some(actor) = &self.actor {
            text(out, br#","act":{"sub":"#, actor);
            out.push(b'}');
        }
        for (name, value) in &self.own {
            json_name(out, name);
            write_value(out, value)?;
        }
        out.push(b'}');
        Ok(())
    }

    /// What somebody adds is held to what our own verifier reads: depth, number of values, and what it reads as something else.
    fn check_own(&self) -> Result<(), ErrorKind> {
        if self.own.is_empty() {
            return Ok(());
        }
        let Limits { values, depth, .. } = Limits::DEFAULT;
        let texts = [&self.tenant, &self.session, &self.acr, &self.actor];
        let lists = [&self.roles, &self.groups, &self.amr];
        let members = ALWAYS
            + texts.iter().filter(|text| text.is_some()).count()
            + lists.iter().filter(|list| !list.is_empty()).count()
            + lists.iter().map(|list| list.len()).sum::<usize>()
            + usize::from(self.auth_time.is_some())
            + usize::from(self.actor.is_some())
            + self.own.len();
        let mut left = values.checked_sub(members).ok_or(ErrorKind::TooLarge)?;
        self.own.iter().try_for_each(|(_, value)| check_value(value, depth - 1, &mut left))
    }
}

/// The claims that every token has.
const ALWAYS: usize = 7;

fn check_value(value: &Value, depth: usize, left: &mut usize) -> Result<(), ErrorKind> {
    let inner = || depth.checked_sub(1).ok_or(ErrorKind::TooLarge);
    let mut count = || {
        *left = left.checked_sub(1).ok_or(ErrorKind::TooLarge)?;
        Ok::<_, ErrorKind>(())
    };
    match value {
        Value::Array(elements) => {
            let depth = inner()?;
            elements.iter().try_for_each(|_| count())?;
            elements.iter().try_for_each(|element| check_value(element, depth, left))
        }
        Value::Object(members) => {
            let depth = inner()?;
            for name in members.keys() {
                count()?;
                strict::is_allowed_name(name).then_some(()).ok_or(ErrorKind::Claim)?;
            }
            members.values().try_for_each(|member| check_value(member, depth, left))
        }
        // With a feature of serde_json that any crate may turn on, a number may be larger than a double.
        Value::Number(number) if !number.as_f64().is_some_and(f64::is_finite) => Err(ErrorKind::Claim),
        _ => Ok(()),
    }
}

/// Shows nothing of what the token says: much of it is personal.
impl std::fmt::Debug for AccessToken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessToken").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

/// Appends a text behind the name of its member, which is written as it stands here.
fn text(out: &mut Vec<u8>, name: &[u8], text: &str) {
    out.extend(name);
    json_string(out, text);
}

/// Appends a number that is not negative.
fn number(out: &mut Vec<u8>, name: &[u8], number: i64) {
    out.extend(name);
    let mut digits = [b'0'; 20];
    let (mut rest, mut length) = (number.unsigned_abs(), 0);
    for place in digits.iter_mut().rev() {
        *place = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        length += 1;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - length..).unwrap_or_default());
}

/// Appends a value.
fn write_value(out: &mut Vec<u8>, value: &Value) -> Result<(), Error> {
    match value {
        Value::String(text) => json_string(out, text),
        Value::Array(elements) => {
            out.push(b'[');
            for (place, element) in elements.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                write_value(out, element)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            out.push(b'{');
            for (name, member) in members {
                json_name(out, name);
                write_value(out, member)?;
            }
            out.push(b'}');
        }
        other => serde_json::to_writer(out, other).map_err(|_| ErrorKind::Claim)?,
    }
    Ok(())
}

fn list(out: &mut Vec<u8>, name: &[u8], texts: &[Cow<'_, str>]) {
    out.extend(name);
    out.push(b'[');
    for (i, text) in texts.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        json_string(out, text);
    }
    out.push(b']');
}
