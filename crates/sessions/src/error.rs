//! What can go wrong in this crate.

use std::fmt;

use bartizan_core::{Fault, NoEntropy};

/// An error of this crate. It never holds a credential, a name or an address.
#[derive(Clone, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    kind: ErrorKind,
    refusal: Option<Refusal>,
}

/// Why a credential is not believed: for the audit record, never for the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// It is no credential of ours.
    Malformed,
    /// There is no such selector.
    Unknown,
    /// There is such a selector, and the secret is not its own.
    Wrong,
    /// Its session or the key itself was ended.
    Ended,
    /// It is too old, or was not used for too long.
    Expired,
    /// It was used before. Its session is ended now.
    Reused,
    /// It is bound to something that was not shown.
    Unbound,
}

impl Refusal {
    /// The word in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Wrong => "wrong",
            Self::Ended => "ended",
            Self::Expired => "expired",
            Self::Reused => "reused",
            Self::Unbound => "unbound",
        }
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The credential is not believed: malformed, unknown, ended, expired, or used a second time. Which of these it was stands in
    /// the audit record only.
    #[error("the credential is not believed")]
    Refused,
    /// The subject has as many sessions as it may have.
    #[error("there are as many sessions as there may be")]
    TooMany,
    /// A name, a text or a number that a caller gave is beyond its limits.
    #[error("a value is beyond its limits")]
    Limits,
    /// The configuration contradicts itself or a limit.
    #[error("the configuration is refused")]
    Config,
    /// The store cannot be asked, or what it keeps is older than the caller accepts.
    #[error("the store of sessions is unavailable")]
    Unavailable,
    /// The store has more to do than it takes on.
    #[error("the store of sessions is busy")]
    Busy,
    /// What is stored cannot be read: damaged, or written by a later version.
    #[error("a stored session cannot be read")]
    Integrity,
    /// Random bytes could not be drawn.
    #[error("random bytes could not be drawn")]
    Entropy,
    /// A primitive failed on valid input, which its documentation rules out.
    #[error("the primitive failed on valid input")]
    Primitive,
}

impl Error {
    /// For stores: an error of this kind.
    #[must_use]
    pub const fn new(kind: ErrorKind) -> Self {
        Self { kind, refusal: None }
    }

    pub(crate) const fn refused(refusal: Refusal) -> Self {
        Self { kind: ErrorKind::Refused, refusal: Some(refusal) }
    }

    /// Why a credential was refused: for the audit record alone.
    ///
    /// # Security
    /// Neither `Display` nor `Debug` nor `==` shows it: whoever tries credentials must not learn which ones there once were.
    #[must_use]
    pub const fn refusal(&self) -> Option<Refusal> {
        self.refusal
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
            ErrorKind::Refused | ErrorKind::TooMany => Fault::Peer,
            ErrorKind::Limits | ErrorKind::Config => Fault::Caller,
            ErrorKind::Unavailable | ErrorKind::Entropy => Fault::Backend,
            ErrorKind::Busy => Fault::Busy,
            ErrorKind::Integrity => Fault::Integrity,
            ErrorKind::Primitive => Fault::Bug,
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self.fault(), Fault::Backend | Fault::Busy)
    }
}

impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for Error {}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::refused(refusal)
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

impl From<NoEntropy> for Error {
    fn from(_: NoEntropy) -> Self {
        ErrorKind::Entropy.into()
    }
}
