//! What can go wrong in this crate.

use crate::{Fault, NoEntropy};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    kind: ErrorKind,
    #[source]
    source: Option<NoEntropy>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A name (tenant, subject, role, field, …) is empty, too long, or has control characters.
    #[error("a name is empty, too long or has control characters")]
    Name,
    /// A permission is not `resource:action[:scope]` in lower-case ASCII.
    #[error("a permission is not of the form resource:action[:scope]")]
    Permission,
    /// Random bytes could not be drawn.
    #[error("random bytes could not be drawn")]
    Entropy,
    /// More roles or teams than [`PrincipalFacts`](crate::PrincipalFacts) allows.
    #[error("a principal has too many roles or teams")]
    TooMany,
    /// A log file could not be opened or written.
    #[error("the log file could not be opened")]
    File,
}

impl Error {
    pub(crate) const fn new(kind: ErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Who has to act.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self.kind {
            ErrorKind::Name | ErrorKind::Permission | ErrorKind::TooMany => Fault::Caller,
            ErrorKind::Entropy | ErrorKind::File => Fault::Backend,
        }
    }

    /// Whether the same call may succeed a little later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.fault().is_transient()
    }
}

impl From<NoEntropy> for Error {
    fn from(source: NoEntropy) -> Self {
        Self { kind: ErrorKind::Entropy, source: Some(source) }
    }
}
