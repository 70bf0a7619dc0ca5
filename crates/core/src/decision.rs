//! Allow, deny, or it cannot be told; and the proofs that come with an allow.

use std::fmt;

use crate::{
    Authority, FieldSet, PermissionName, Resource, Revision, RuleId, UnixTime, fact::Reason, place::Place,
};

/// The answer to a question. Exhaustive, and never a `bool`.
#[derive(Debug)]
#[must_use = "a decision that nobody looks at protects nothing"]
pub enum Decision {
    /// Yes, and here is the proof.
    Allow(Grant),
    /// No.
    Deny(Denial),
    /// It cannot be told: closed, and not the asker's doing (503, not 403).
    Indeterminate(Cause),
}

/// Why it cannot be told. Exhaustive on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Cause {
    /// The permission is critical: ask with [`Authorizer::decide_durably`](crate::Authorizer::decide_durably).
    #[error("a critical permission is decided durably")]
    NeedsDurable,
    /// The decision could not be put on record, so it does not stand.
    #[error("the decision could not be recorded")]
    NotRecorded,
    /// What the policy needs to know is out of reach.
    #[error("what the policy needs to know is out of reach")]
    Unavailable,
    /// The policy is older than its staleness bound allows.
    #[error("the policy is stale")]
    Stale,
    /// The question has an empty or unprintable name, or a page of more than [`MAX_PAGE`](crate::MAX_PAGE) records.
    #[error("the question is malformed")]
    Malformed,
}

impl Cause {
    /// The word in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NeedsDurable => "needs_durable",
            Self::NotRecorded => "not_recorded",
            Self::Unavailable => "unavailable",
            Self::Stale => "stale",
            Self::Malformed => "malformed",
        }
    }
}

/// One decision's id, unique in the life of an authority; it stands in the record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DecisionId(pub(crate) [u8; 16]);

impl DecisionId {
    /// The bytes, for a recorder.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The proof of an allow: one record, some fields, at most 60 seconds. No `Clone`, no public constructor.
///
/// ```compile_fail
/// let grant = bartizan_core::Grant { };
/// ```
#[must_use = "a grant is what the next step needs"]
pub struct Grant {
    pub(crate) authority: Authority,
    pub(crate) decision: DecisionId,
    pub(crate) permission: PermissionName<'static>,
    pub(crate) on: Place,
    pub(crate) clear: FieldSet,
    pub(crate) expires: UnixTime,
}

impl Grant {
    /// Checks that the grant is for `on` and ties the two together.
    ///
    /// # Errors
    /// [`Mismatch`] when it is for another tenant, kind or record.
    pub fn covers(&self, on: Resource<'_>) -> Result<Covered<'_>, Mismatch> {
        self.on.compare(on).map(|()| Covered { grant: self })
    }

    /// The decision's id, as it stands in the record.
    #[must_use]
    pub const fn decision(&self) -> DecisionId {
        self.decision
    }

    /// The permission that was granted.
    #[must_use]
    pub const fn permission(&self) -> PermissionName<'static> {
        self.permission
    }

    /// The fields that may be shown in clear.
    #[must_use]
    pub const fn clear(&self) -> &FieldSet {
        &self.clear
    }

    /// When it ends.
    #[must_use]
    pub const fn expires(&self) -> UnixTime {
        self.expires
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("decision", &self.decision)
            .field("permission", &self.permission)
            .field("clear", &self.clear)
            .finish_non_exhaustive()
    }
}

/// “This grant, this record.” What opening a field takes; only [`Grant::covers`] makes one.
///
/// A vault compares the authority with its own, the expiry with its own clock and the resource with the record's context,
/// on every open.
#[derive(Clone, Copy)]
pub struct Covered<'g> {
    grant: &'g Grant,
}

impl<'g> Covered<'g> {
    /// Who granted it.
    #[must_use]
    pub const fn authority(&self) -> Authority {
        self.grant.authority
    }

    /// When it ends.
    #[must_use]
    pub const fn expires(&self) -> UnixTime {
        self.grant.expires
    }

    /// The record that is covered, without owner and team.
    #[must_use]
    pub fn resource(&self) -> Resource<'g> {
        let on = &self.grant.on;
        match on.id() {
            Some(id) => Resource::record(on.tenant(), on.kind(), id),
            None => Resource::collection(on.tenant(), on.kind()),
        }
    }

    /// The fields that may be shown in clear.
    #[must_use]
    pub const fn clear(&self) -> &'g FieldSet {
        &self.grant.clear
    }

    /// The decision's id.
    #[must_use]
    pub const fn decision(&self) -> DecisionId {
        self.grant.decision
    }

    /// The permission that was granted.
    #[must_use]
    pub const fn permission(&self) -> PermissionName<'static> {
        self.grant.permission
    }
}

impl fmt::Debug for Covered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Covered").field(&self.grant.decision).finish()
    }
}

/// What a grant is not for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// Another tenant.
    #[error("the grant is for another tenant")]
    Tenant,
    /// Another kind of record.
    #[error("the grant is for another kind of record")]
    Kind,
    /// Another record.
    #[error("the grant is for another record")]
    Record,
    /// Another decision: the value was opened under one grant and is shown under another.
    #[error("the value was opened under another decision")]
    Decision,
}

/// A refusal. It holds decision id, rule and revision only; an engine's `explain` computes the nearest miss on demand.
#[derive(Debug)]
pub struct Denial {
    pub(crate) decision: DecisionId,
    pub(crate) rule: Option<RuleId>,
    pub(crate) revision: Revision,
    pub(crate) reason: Reason,
}

impl Denial {
    /// The decision's id, as it stands in the record.
    #[must_use]
    pub const fn decision(&self) -> DecisionId {
        self.decision
    }

    /// The rule that denies; none when simply nothing allows it.
    #[must_use]
    pub const fn rule(&self) -> Option<RuleId> {
        self.rule
    }

    /// Which state of the policy answered.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// Whether the record must look as if it did not exist (404): it is in another tenant.
    #[must_use]
    pub const fn hides_existence(&self) -> bool {
        matches!(self.reason, Reason::OtherTenant)
    }

    /// Whether the principal's credential has ended since it was verified (401, with a new one things may be different).
    #[must_use]
    pub const fn credential_has_ended(&self) -> bool {
        matches!(self.reason, Reason::CredentialExpired)
    }
}

/// The answers for one page, in the order of the records.
#[derive(Debug)]
#[must_use = "decisions that nobody looks at protect nothing"]
pub struct Decisions(pub(crate) Vec<Decision>);

impl Decisions {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Decisions {
    type Item = Decision;
    type IntoIter = std::vec::IntoIter<Decision>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
