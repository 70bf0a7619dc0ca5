//! What is put on record: who did what, to what, from where, with which outcome.

use std::{fmt, net::IpAddr};

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{DecisionId, PermissionName, Principal, Resource, Revision, RuleId, UnixTime};

/// An event's stable number and name. The catalogue of all of them is in `bartizan-audit-events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventCode {
    number: u16,
    name: &'static str,
}

impl EventCode {
    /// A code. Numbers are never given twice and never change their meaning.
    #[must_use]
    pub const fn new(number: u16, name: &'static str) -> Self {
        Self { number, name }
    }

    /// The stable number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.number
    }

    /// The stable name, `lower_snake`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }
}

/// The events that this crate itself records.
pub mod code {
    use super::EventCode;

    /// A permission was granted on a record.
    pub const PERMISSION_GRANTED: EventCode = EventCode::new(3001, "permission_granted");
    /// A permission was denied.
    pub const PERMISSION_DENIED: EventCode = EventCode::new(3002, "permission_denied");
    /// It could not be told whether a permission is granted.
    pub const PERMISSION_UNDECIDED: EventCode = EventCode::new(3003, "permission_undecided");
    /// A permission was decided for each record of a page.
    pub const PAGE_DECIDED: EventCode = EventCode::new(3004, "page_decided");
}

/// What must be true of a record before the program goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// Durable before the caller goes on.
    Critical,
    /// Queued before the caller goes on; never dropped.
    Standard,
    /// May be dropped under load, and is counted then. Never backs a grant.
    Bulk,
}

impl Delivery {
    /// The word in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Standard => "standard",
            Self::Bulk => "bulk",
        }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was refused.
    Denied,
    /// It was tried and failed.
    Failure,
    /// It could not be told.
    Unknown,
}

impl Outcome {
    /// The word in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Denied => "denied",
            Self::Failure => "failure",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a decision came out as it did, beside the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A rule says so.
    Rule,
    /// Nothing allows it.
    NothingAllows,
    /// The record is in another tenant.
    OtherTenant,
    /// The credential has ended.
    CredentialExpired,
}

impl Reason {
    /// The word in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::NothingAllows => "nothing_allows",
            Self::OtherTenant => "other_tenant",
            Self::CredentialExpired => "credential_expired",
        }
    }
}

/// Who did it.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// Somebody known.
    Principal(&'a Principal),
    /// Somebody who says so and was not believed, or not yet. The text is the peer's own.
    Claimed {
        /// The tenant that was claimed.
        tenant: &'a str,
        /// The name that was claimed.
        subject: &'a str,
    },
    /// Somebody who said nothing.
    Anonymous,
    /// This program itself.
    Process(&'a str),
}

/// To what.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// One record, or a kind of them.
    Resource(Resource<'a>),
    /// The records of one page.
    Page {
        /// Their tenant.
        tenant: &'a str,
        /// Their kind.
        kind: &'a str,
        /// Those that were allowed.
        allowed: &'a [&'a str],
        /// How many were denied.
        denied: usize,
    },
    /// Something with a name: a key, a secret, a file, a route.
    Named {
        /// What it is.
        kind: &'a str,
        /// Its name.
        name: &'a str,
    },
}

/// From where.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Origin<'a> {
    /// The service that records.
    pub service: &'a str,
    /// The client's address, when a trusted hop gave one.
    pub address: Option<IpAddr>,
    /// The client's `User-Agent`; the text is the peer's own.
    pub user_agent: Option<&'a str>,
    /// The request's id.
    pub request: Option<&'a str>,
}

impl<'a> Origin<'a> {
    /// From the service itself, with nothing known about a client.
    #[must_use]
    pub const fn service(service: &'a str) -> Self {
        Self { service, address: None, user_agent: None, request: None }
    }

    /// The same, with what a principal knows about its request.
    #[must_use]
    pub fn of(mut self, who: &'a Principal) -> Self {
        self.address = who.address();
        self.request = who.request();
        self
    }
}

/// One more thing to say, by a fixed name. Never a secret, never personal data in clear.
#[derive(Clone, Copy, Debug)]
pub struct Detail<'a> {
    /// The name, `lower_snake`.
    pub name: &'static str,
    /// The value.
    pub value: DetailValue<'a>,
}

/// A detail's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DetailValue<'a> {
    /// A text.
    Text(&'a str),
    /// A number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
}

/// One event, borrowed: the recorder copies what it keeps.
///
/// Who, what, where and outcome are mandatory by construction.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Fact<'a> {
    /// What happened.
    pub code: EventCode,
    /// How it ended.
    pub outcome: Outcome,
    /// When.
    pub at: UnixTime,
    /// Who.
    pub subject: Subject<'a>,
    /// To what.
    pub target: Target<'a>,
    /// From where.
    pub origin: Origin<'a>,
    /// How surely it must be kept.
    pub delivery: Delivery,
    /// The permission that was asked for.
    pub permission: Option<PermissionName<'a>>,
    /// The decision's id.
    pub decision: Option<DecisionId>,
    /// The rule that decided.
    pub rule: Option<RuleId>,
    /// The policy's state.
    pub revision: Option<Revision>,
    /// Why, in one fixed word.
    pub reason: Option<&'static str>,
    /// More, at most 16 of them.
    pub details: &'a [Detail<'a>],
}

impl<'a> Fact<'a> {
    /// An event. Delivery is [`Delivery::Standard`] until said otherwise.
    #[must_use]
    pub const fn new(
        code: EventCode,
        outcome: Outcome,
        at: UnixTime,
        subject: Subject<'a>,
        target: Target<'a>,
        origin: Origin<'a>,
    ) -> Self {
        Self {
            code,
            outcome,
            at,
            subject,
            target,
            origin,
            delivery: Delivery::Standard,
            permission: None,
            decision: None,
            rule: None,
            revision: None,
            reason: None,
            details: &[],
        }
    }

    /// The same, kept this surely.
    #[must_use]
    pub const fn delivered(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// The same, with the reason in one fixed word.
    #[must_use]
    pub const fn because(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// The same, with more to say; what is beyond 16 details is left out.
    #[must_use]
    pub fn with(mut self, details: &'a [Detail<'a>]) -> Self {
        self.details = details.get(..16).unwrap_or(details);
        self
    }
}

/// A value shown with `Display`, for serializers.
struct Shown<T>(T);

impl<T: fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// One flat map with stable member names, absent members left out.
impl Serialize for Fact<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", &self.code.number)?;
        map.serialize_entry("event", self.code.name)?;
        map.serialize_entry("outcome", self.outcome.as_str())?;
        map.serialize_entry("at", &Shown(self.at))?;
        self.subject.members(&mut map)?;
        self.target.members(&mut map)?;
        map.serialize_entry("service", self.origin.service)?;
        optional(&mut map, "address", self.origin.address.map(Shown))?;
        optional(&mut map, "user_agent", self.origin.user_agent)?;
        optional(&mut map, "request", self.origin.request)?;
        map.serialize_entry("delivery", self.delivery.as_str())?;
        optional(&mut map, "permission", self.permission.map(|name| name.as_str()))?;
        optional(&mut map, "decision", self.decision.map(Shown))?;
        optional(&mut map, "rule", self.rule.map(|rule| rule.0))?;
        optional(&mut map, "revision", self.revision.map(|revision| revision.0))?;
        optional(&mut map, "reason", self.reason)?;
        if !self.details.is_empty() {
            map.serialize_entry("details", &Details(self.details))?;
        }
        map.end()
    }
}

fn optional<M: SerializeMap, T: Serialize>(
    map: &mut M,
    name: &'static str,
    value: Option<T>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, &value))
}

impl Subject<'_> {
    fn members<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match self {
            Self::Principal(who) => {
                map.serialize_entry("subject", who.subject())?;
                map.serialize_entry("subject_tenant", who.tenant())?;
                map.serialize_entry("attested", who.how().as_str())?;
                optional(map, "issuer", who.issuer())?;
                optional(map, "credential", who.credential())?;
                optional(map, "session", who.session())?;
                optional(map, "actor", who.actor().map(Principal::subject))
            }
            Self::Claimed { tenant, subject } => {
                map.serialize_entry("claimed_subject", subject)?;
                map.serialize_entry("claimed_tenant", tenant)
            }
            Self::Anonymous => map.serialize_entry("anonymous", &true),
            Self::Process(name) => map.serialize_entry("process", name),
        }
    }
}

impl Target<'_> {
    fn members<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match self {
            Self::Resource(resource) => {
                map.serialize_entry("tenant", resource.tenant())?;
                map.serialize_entry("kind", resource.kind())?;
                optional(map, "id", resource.id())
            }
            Self::Page { tenant, kind, allowed, denied } => {
                map.serialize_entry("tenant", tenant)?;
                map.serialize_entry("kind", kind)?;
                map.serialize_entry("ids", allowed)?;
                map.serialize_entry("denied", denied)
            }
            Self::Named { kind, name } => {
                map.serialize_entry("kind", kind)?;
                map.serialize_entry("name", name)
            }
        }
    }
}

struct Details<'a>(&'a [Detail<'a>]);

impl Serialize for Details<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for detail in self.0 {
            match detail.value {
                DetailValue::Text(text) => map.serialize_entry(detail.name, text)?,
                DetailValue::Number(number) => map.serialize_entry(detail.name, &number)?,
                DetailValue::Flag(flag) => map.serialize_entry(detail.name, &flag)?,
            }
        }
        map.end()
    }
}
