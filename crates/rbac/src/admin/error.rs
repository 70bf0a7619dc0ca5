//! What can stand against a change.

use std::{error::Error as StdError, fmt};

use bartizan_core::Fault;

use crate::{Error, SourceError};

/// A change was refused, or could not be made.
#[derive(Debug)]
pub struct AdminError {
    kind: AdminErrorKind,
    detail: Box<str>,
    source: Option<SourceError>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AdminErrorKind {
    /// The grant is of another authority, for another tenant, for something else, or has ended.
    #[error("the grant is not for this change")]
    Grant,
    /// The policy has no such role, or not in this realm.
    #[error("a role is unknown")]
    UnknownRole,
    /// Who makes the change does not hold what is given or taken.
    #[error("nobody gives or takes what they do not hold")]
    Escalation,
    /// Somebody would hold too many roles of a separation of duty.
    #[error("a separation of duty would be broken")]
    Separation,
    /// Somebody would hold a role without one that it requires.
    #[error("a prerequisite would be missing")]
    Prerequisite,
    /// A role would have too many holders.
    #[error("a role would have too many holders")]
    Holders,
    /// A reason is missing, or a time is beyond its limit.
    #[error("a reason or a time is out of bounds")]
    Bounds,
    /// Breaking this glass, or reviewing this use, is not for them.
    #[error("that is not for them to do")]
    Eligibility,
    /// The last authentication by several factors is missing or too old.
    #[error("a fresh authentication by several factors is needed")]
    Proof,
    /// Only tokens count here: there are no assignments to change.
    #[error("there are no assignments to change")]
    TokenOnly,
    /// Somebody else changed something meanwhile.
    #[error("somebody else changed something meanwhile")]
    Conflict,
    /// It could not be put on record, so it was not done.
    #[error("the change could not be recorded")]
    NotRecorded,
    /// The store did not take it; [`StdError::source`] says more.
    #[error("the store did not take the change")]
    Source,
}

impl AdminError {
    pub(super) fn new(kind: AdminErrorKind, detail: impl Into<Box<str>>) -> Self {
        Self { kind, detail: detail.into(), source: None }
    }

    pub(super) fn of_engine(error: Error) -> Self {
        Self::new(AdminErrorKind::TokenOnly, error.to_string())
    }

    pub(super) fn of_source(error: SourceError) -> Self {
        let kind = AdminErrorKind::Source;
        Self { kind, detail: kind.to_string().into(), source: Some(error) }
    }

    pub(super) fn not_recorded() -> Self {
        let kind = AdminErrorKind::NotRecorded;
        Self::new(kind, kind.to_string())
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> AdminErrorKind {
        self.kind
    }

    /// Who has to act.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match (self.kind, &self.source) {
            (AdminErrorKind::Source, Some(source)) => source.fault(),
            (AdminErrorKind::Source | AdminErrorKind::NotRecorded, _) => Fault::Backend,
            (AdminErrorKind::Conflict, _) => Fault::Busy,
            (AdminErrorKind::TokenOnly, _) => Fault::Caller,
            _ => Fault::Peer,
        }
    }

    /// Whether the same call may succeed a little later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self.fault(), Fault::Backend | Fault::Busy)
    }
}

impl fmt::Display for AdminError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl StdError for AdminError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
