//! Security events as they are received: both forms that services write, read strictly.

use std::{collections::BTreeMap, net::IpAddr};

use bartizan_core::{
    Outcome, UnixTime,
    json::{self, Limits},
};
use serde::Deserialize;

use crate::{
    Error, ErrorKind, Event, SecurityEvent, Severity, Value,
    security_event::{
        MAX_ACTION, MAX_METADATA, MAX_NAME, MAX_RESOURCE, MAX_TEXT, MAX_USER, MAX_USER_AGENT, UNKNOWN,
        is_exact, is_name_char,
    },
    time,
};

/// An event, its metadata, and one level more, so that a list among the metadata is told from an endless nesting.
const LIMITS: Limits = Limits { bytes: 64 * 1024, depth: 3, values: 64 };

impl SecurityEvent {
    /// Reads an event in either form:
    ///
    /// - `eventType`, `userId`?, `ipAddress`, `userAgent`, `resource`, `action`, `timestamp`, `severity`, `outcome`?,
    ///   `metadata`?
    /// - `type`, `userId`?, `ip`, `timestamp`, `severity`, `outcome`?, `details`?; the resource is `details.endpoint` where
    ///   there is one, the action the event's name.
    ///
    /// A missing outcome is the catalogue's usual one. Names and severities as [`Event::named`] and [`Severity::named`]
    /// read them. Every unknown, repeated or ill-typed member is refused, and so are members of both forms together.
    ///
    /// # Errors
    /// [`ErrorKind`], see there.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        read(text, None, &[])
    }

    /// The same, for a service that has events of its own beside the catalogue.
    ///
    /// # Errors
    /// [`ErrorKind`], see there.
    pub fn parse_among(text: &[u8], own: &[Event]) -> Result<Self, Error> {
        read(text, None, own)
    }

    /// The same as [`SecurityEvent::parse`], for senders that leave the timestamp to the receiver: a missing one is
    /// `received`.
    ///
    /// # Errors
    /// [`ErrorKind`], see there.
    pub fn parse_received(text: &[u8], received: UnixTime) -> Result<Self, Error> {
        read(text, Some(received), &[])
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Members {
    event_type: Option<String>,
    r#type: Option<String>,
    user_id: Option<String>,
    ip_address: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
    resource: Option<String>,
    action: Option<String>,
    timestamp: Option<String>,
    severity: String,
    outcome: Option<String>,
    metadata: Option<BTreeMap<String, Scalar>>,
    details: Option<BTreeMap<String, Scalar>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Flag(bool),
    Number(i64),
    Text(String),
    Other(serde::de::IgnoredAny),
}

fn read(text: &[u8], received: Option<UnixTime>, own: &[Event]) -> Result<SecurityEvent, Error> {
    let members: Members = json::read(text, &LIMITS)?;
    let (severity, outcome) = (members.severity.clone(), members.outcome.clone());
    let at = match (&members.timestamp, received) {
        (Some(text), _) => time::parse(text).ok_or(ErrorKind::Time)?,
        (None, Some(received)) => received,
        (None, None) => return Err(ErrorKind::Members.into()),
    };
    let form = members.into_form()?;

    let event = Event::named(&form.event)
        .or_else(|| own.iter().copied().find(|event| event.name() == form.event))
        .ok_or(ErrorKind::Event)?;
    let metadata = metadata(form.metadata)?;
    let resource = match form.resource {
        Some(resource) => resource,
        None => match metadata.get("endpoint") {
            Some(Value::Text(endpoint)) if !endpoint.is_empty() => endpoint.clone(),
            _ => UNKNOWN.to_owned(),
        },
    };
    Ok(SecurityEvent {
        event,
        outcome: outcome
            .map_or(Ok(event.outcome()), |name| outcome_named(&name).ok_or(ErrorKind::Outcome))?,
        severity: Severity::named(&severity).ok_or(ErrorKind::Severity)?,
        at,
        user: form.user.map(|user| bounded(user, 1, MAX_USER)).transpose()?,
        address: form.address.parse::<IpAddr>().map_err(|_| ErrorKind::Address)?,
        user_agent: bounded(form.user_agent, 0, MAX_USER_AGENT)?,
        resource: bounded(resource, 1, MAX_RESOURCE)?,
        action: bounded(form.action.unwrap_or_else(|| event.name().to_owned()), 1, MAX_ACTION)?,
        metadata,
    })
}

/// Either form, brought together.
struct Form {
    event: String,
    user: Option<String>,
    address: String,
    user_agent: String,
    resource: Option<String>,
    action: Option<String>,
    metadata: Option<BTreeMap<String, Scalar>>,
}

impl Members {
    /// Every member must belong to the one form that the event's name stands for.
    fn into_form(self) -> Result<Form, Error> {
        match self {
            Self {
                event_type: Some(event),
                ip_address: Some(address),
                user_agent: Some(user_agent),
                resource: Some(resource),
                action: Some(action),
                user_id: user,
                metadata,
                r#type: None,
                ip: None,
                details: None,
                ..
            } => {
                let (resource, action) = (Some(resource), Some(action));
                Ok(Form { event, user, address, user_agent, resource, action, metadata })
            }
            Self {
                r#type: Some(event),
                ip: Some(address),
                user_id: user,
                details: metadata,
                event_type: None,
                ip_address: None,
                user_agent: None,
                resource: None,
                action: None,
                metadata: None,
                ..
            } => {
                let user_agent = String::new();
                Ok(Form { event, user, address, user_agent, resource: None, action: None, metadata })
            }
            _ => Err(ErrorKind::Members.into()),
        }
    }
}

fn bounded(text: String, least: usize, most: usize) -> Result<String, Error> {
    if (least..=most).contains(&text.len()) { Ok(text) } else { Err(ErrorKind::Text.into()) }
}

fn metadata(read: Option<BTreeMap<String, Scalar>>) -> Result<BTreeMap<String, Value>, Error> {
    let read = read.unwrap_or_default();
    if read.len() > MAX_METADATA {
        return Err(ErrorKind::Metadata.into());
    }
    read.into_iter()
        .map(|(name, value)| {
            let is_name = (1..=MAX_NAME).contains(&name.len()) && name.chars().all(is_name_char);
            let value = match value {
                Scalar::Flag(flag) => Value::Flag(flag),
                Scalar::Number(number) if is_exact(number) => Value::Number(number),
                Scalar::Text(text) if text.len() <= MAX_TEXT => Value::Text(text),
                _ => return Err(ErrorKind::Metadata.into()),
            };
            if is_name { Ok((name, value)) } else { Err(ErrorKind::Metadata.into()) }
        })
        .collect()
}

fn outcome_named(name: &str) -> Option<Outcome> {
    [Outcome::Success, Outcome::Denied, Outcome::Failure, Outcome::Unknown]
        .into_iter()
        .find(|outcome| outcome.as_str() == name)
}
