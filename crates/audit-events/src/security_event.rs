//! One security event, owned: for services that receive events from elsewhere or send them on.

use std::{collections::BTreeMap, fmt, net::IpAddr};

use bartizan_core::{
    Detail, DetailValue, Fact, NotRecorded, Origin, Outcome, Recorder, Subject, Target, Ticket, UnixTime,
    json,
};
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{Event, Severity};

/// One security event: who did what to which resource, when, from where, and how it ended.
///
/// Who, what, where and outcome are arguments, so that none can be forgotten. What is too long is shortened and ends in
/// `…`: nobody can keep an event off the record by a long path or user agent.
///
/// ```
/// use bartizan_audit_events::{Event, SecurityEvent};
/// use bartizan_core::{Outcome, UnixTime};
///
/// let event = SecurityEvent::new(
///     Event::FAILED_LOGIN,
///     Outcome::Failure,
///     UnixTime::from_secs(1_700_000_000),
///     Some("user-123"),
///     "192.0.2.1".parse()?,
///     "/login",
///     "login",
/// )
/// .with_user_agent("curl/8.5")
/// .with("attempts", 3);
///
/// assert_eq!(SecurityEvent::parse(event.to_json().as_bytes())?, event);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SecurityEvent {
    pub(crate) event: Event,
    pub(crate) outcome: Outcome,
    pub(crate) severity: Severity,
    pub(crate) at: UnixTime,
    pub(crate) user: Option<String>,
    pub(crate) address: IpAddr,
    pub(crate) user_agent: String,
    pub(crate) resource: String,
    pub(crate) action: String,
    pub(crate) metadata: BTreeMap<String, Value>,
}

/// One of an event's metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// A text of at most 256 bytes.
    Text(String),
    /// A whole number that every JSON reader keeps: at most 2^53 − 1 either way (RFC 7493 section 2.2).
    Number(i64),
    /// Yes or no.
    Flag(bool),
}

impl SecurityEvent {
    /// An event with the catalogue's severity. `user` is nobody when nobody is known.
    #[must_use]
    pub fn new(
        event: Event,
        outcome: Outcome,
        at: UnixTime,
        user: Option<&str>,
        address: IpAddr,
        resource: &str,
        action: &str,
    ) -> Self {
        Self {
            event,
            outcome,
            severity: event.severity(),
            at: clamp(at),
            user: user.map(|user| named(user, MAX_USER)),
            address,
            user_agent: String::new(),
            resource: named(resource, MAX_RESOURCE),
            action: named(action, MAX_ACTION),
            metadata: BTreeMap::new(),
        }
    }

    /// The same, this grave.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The same, with the client's `User-Agent`.
    #[must_use]
    pub fn with_user_agent(mut self, user_agent: &str) -> Self {
        self.user_agent = shortened(user_agent, MAX_USER_AGENT);
        self
    }

    /// The same, with one more thing to say. The name is letters, digits, `_`, `-` and `.`; other characters become `_`. A
    /// seventeenth metadatum is left out; a number beyond 53 bits becomes a text.
    ///
    /// # Security
    /// Never a secret, never personal data in clear: an event is read by more people than a record.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        let name: String =
            name.chars().take(MAX_NAME).map(|c| if is_name_char(c) { c } else { '_' }).collect();
        let name = if name.is_empty() { "_".to_owned() } else { name };
        let value = match value.into() {
            Value::Text(text) => Value::Text(shortened(&text, MAX_TEXT)),
            Value::Number(number) if !is_exact(number) => Value::Text(number.to_string()),
            value => value,
        };
        if self.metadata.len() < MAX_METADATA || self.metadata.contains_key(&name) {
            self.metadata.insert(name, value);
        }
        self
    }

    /// What kind of event.
    #[must_use]
    pub const fn event(&self) -> Event {
        self.event
    }

    /// How it ended.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// How grave it is.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.severity
    }

    /// When it happened.
    #[must_use]
    pub const fn at(&self) -> UnixTime {
        self.at
    }

    /// Who did it, if somebody is known.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// From which address.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// With which `User-Agent`; empty when there was none.
    #[must_use]
    pub fn user_agent(&self) -> &str {
        &self.user_agent
    }

    /// To what.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// What was done or tried.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }

    /// What else there is to say, in the order of the names.
    pub fn metadata(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.metadata.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The one JSON text of this event: fixed order of members, metadata in the order of their names, UTC, no white space,
    /// one line whatever reads it. [`SecurityEvent::parse`] reads it back.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut line = Vec::new();
        // INVARIANT(event-serializes): texts, numbers and flags under text names, written to memory: nothing can fail, and
        // JSON is UTF-8.
        let _ = json::write_one_line(self, &mut line);
        String::from_utf8(line).unwrap_or_default()
    }

    /// Puts the event on record as a fact of `service`: the user as one who was claimed, severity, action and metadata as
    /// details.
    ///
    /// # Errors
    /// [`NotRecorded`] as the recorder says.
    pub fn record(&self, service: &str, recorder: &dyn Recorder) -> Result<Ticket, NotRecorded> {
        let mut metadata = Vec::new();
        json::write_one_line(&Metadata(&self.metadata), &mut metadata).map_err(|_| NotRecorded)?;
        let metadata = String::from_utf8(metadata).map_err(|_| NotRecorded)?;
        let details = [
            Detail { name: "severity", value: DetailValue::Text(self.severity.as_str()) },
            Detail { name: "action", value: DetailValue::Text(&self.action) },
            Detail { name: "metadata", value: DetailValue::Text(&metadata) },
        ];
        let subject = match &self.user {
            Some(user) => Subject::Claimed { tenant: UNKNOWN, subject: user },
            None => Subject::Anonymous,
        };
        let mut origin = Origin::service(service);
        origin.address = Some(self.address);
        origin.user_agent = (!self.user_agent.is_empty()).then_some(&*self.user_agent);
        let target = Target::Named { kind: "resource", name: &self.resource };
        let fact: Fact<'_> = self.event.fact(self.outcome, self.at, subject, target, origin).with(&details);
        recorder.record(&fact)
    }
}

/// The members of guide A's events, and `outcome`.
impl Serialize for SecurityEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("eventType", self.event.name())?;
        if let Some(user) = &self.user {
            map.serialize_entry("userId", user)?;
        }
        map.serialize_entry("ipAddress", &self.address)?;
        map.serialize_entry("userAgent", &self.user_agent)?;
        map.serialize_entry("resource", &self.resource)?;
        map.serialize_entry("action", &self.action)?;
        map.serialize_entry("timestamp", &self.at.to_string())?;
        map.serialize_entry("severity", self.severity.as_str())?;
        map.serialize_entry("outcome", self.outcome.as_str())?;
        if !self.metadata.is_empty() {
            map.serialize_entry("metadata", &Metadata(&self.metadata))?;
        }
        map.end()
    }
}

/// Who and what stand in the record, not in a debugging line.
impl fmt::Debug for SecurityEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityEvent")
            .field("event", &self.event.name())
            .field("outcome", &self.outcome)
            .field("severity", &self.severity)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

struct Metadata<'a>(&'a BTreeMap<String, Value>);

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            match value {
                Value::Text(text) => map.serialize_entry(name, text)?,
                Value::Number(number) => map.serialize_entry(name, number)?,
                Value::Flag(flag) => map.serialize_entry(name, flag)?,
            }
        }
        map.end()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

pub(crate) const MAX_USER: usize = 255;
pub(crate) const MAX_USER_AGENT: usize = 512;
pub(crate) const MAX_RESOURCE: usize = 1_024;
pub(crate) const MAX_ACTION: usize = 128;
pub(crate) const MAX_METADATA: usize = 16;
pub(crate) const MAX_NAME: usize = 64;
pub(crate) const MAX_TEXT: usize = 256;

/// What stands where nothing is known.
pub(crate) const UNKNOWN: &str = "-";

pub(crate) fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

pub(crate) fn is_exact(number: i64) -> bool {
    number.unsigned_abs() < 1 << 53
}

/// At most `limit` bytes; what was cut ends in `…`.
fn shortened(text: &str, limit: usize) -> String {
    const MARK: &str = "…";
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit - MARK.len();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned() + MARK
}

fn named(text: &str, limit: usize) -> String {
    if text.is_empty() { UNKNOWN.to_owned() } else { shortened(text, limit) }
}

/// The years that [`SecurityEvent::parse`] reads: the first and last of [`UnixTime`] are not whole.
fn clamp(at: UnixTime) -> UnixTime {
    at.clamp(UnixTime::from_secs(-9_214_560_000), UnixTime::from_secs(9_214_646_399))
}
