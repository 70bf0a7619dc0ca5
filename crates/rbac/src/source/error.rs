//! What can go wrong between a source and whoever asks it.

use std::{error::Error as StdError, fmt, sync::Arc};

use bartizan_core::Fault;

/// A source did not deliver, or a store did not take what it was given.
#[derive(Clone, Debug)]
pub struct SourceError {
    kind: SourceErrorKind,
    because: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SourceErrorKind {
    /// The source cannot be asked, or does not answer in time.
    #[error("the source of the policy does not answer")]
    Unavailable,
    /// Too much is going on at once.
    #[error("the source of the policy is busy")]
    Busy,
    /// Somebody else wrote since the expected revision. Whoever writes reads again, and decides again.
    #[error("somebody else wrote first")]
    Conflict,
    /// A change has a name or a text that no store keeps, or there are too many changes.
    #[error("a change cannot be stored")]
    Unstorable,
    /// There is no policy yet.
    #[error("there is no policy")]
    Missing,
    /// The text is larger than 16 MiB.
    #[error("the policy is larger than 16 MiB")]
    TooLarge,
    /// What stands where a policy should is no text.
    #[error("the policy is no text")]
    Malformed,
    /// The program may not do that, or was told to use something that is no source.
    #[error("the source of the policy refuses")]
    Config,
    /// What is stored is not what was written.
    #[error("the stored policy is damaged")]
    Integrity,
    /// A source broke its own contract.
    #[error("the source of the policy contradicts itself")]
    Bug,
}

impl SourceError {
    /// What happened, and the source's own error for it.
    pub fn because(kind: SourceErrorKind, error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind, because: Some(error.into().into()) }
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> SourceErrorKind {
        self.kind
    }

    /// Who has to act.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self.kind {
            SourceErrorKind::Unavailable => Fault::Backend,
            SourceErrorKind::Busy => Fault::Busy,
            SourceErrorKind::Conflict | SourceErrorKind::Unstorable => Fault::Peer,
            SourceErrorKind::Missing
            | SourceErrorKind::TooLarge
            | SourceErrorKind::Malformed
            | SourceErrorKind::Config => Fault::Caller,
            SourceErrorKind::Integrity => Fault::Integrity,
            SourceErrorKind::Bug => Fault::Bug,
        }
    }

    /// Whether the same call may succeed a little later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.fault().is_transient()
    }
}

impl From<SourceErrorKind> for SourceError {
    fn from(kind: SourceErrorKind) -> Self {
        Self { kind, because: None }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl StdError for SourceError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.because.as_deref().map(|error| error as _)
    }
}
