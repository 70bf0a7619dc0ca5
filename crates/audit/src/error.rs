//! What can go wrong in this crate.

use std::{io, ops::Range};

use bartizan_core::{Fault, NoEntropy};

use crate::report::Damage;

/// An error of this crate. Its message names entries by their index and never holds what an entry says.
#[derive(Debug, thiserror::Error)]
#[error("{kind}{}", Tail(self))]
pub struct Error {
    kind: ErrorKind,
    damage: Option<Damage>,
    missing: Option<Range<u64>>,
    #[source]
    source: Option<io::Error>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An origin is malformed, or a size or time is out of its bounds.
    #[error("the configuration of the log is not usable")]
    Config,
    /// The checkpoint key is not Ed25519, or its provider cannot use it.
    #[error("the checkpoint key is not usable")]
    Key,
    /// Another writer has the log open.
    #[error("another writer has the log open")]
    Locked,
    /// The directory is missing, can be written by everybody, or is no directory.
    #[error("the log's directory is not usable")]
    Directory,
    /// There is no log in the directory.
    #[error("there is no log")]
    Absent,
    /// Stored bytes do not verify.
    #[error("the log is corrupt")]
    Corrupt,
    /// Committed entries are missing.
    #[error("committed entries are missing")]
    Truncated,
    /// A signed checkpoint says otherwise than the entries.
    #[error("a signed checkpoint contradicts the entries")]
    Forked,
    /// A text is no checkpoint, is of another log, or no trusted key signed it.
    #[error("the checkpoint cannot be trusted")]
    Checkpoint,
    /// Reading or writing failed. After a failed write or sync the log takes nothing more until it is opened again.
    #[error("the storage failed")]
    Storage,
    /// A file of the log was removed, replaced or written to by somebody else while it was open.
    #[error("a file of the log was changed by somebody else")]
    Replaced,
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
    /// Random bytes could not be drawn.
    #[error("random bytes could not be drawn")]
    Entropy,
    /// What this crate wrote itself could not be read back.
    #[error("an invariant of the log does not hold")]
    Bug,
}

impl Error {
    pub(crate) const fn new(kind: ErrorKind) -> Self {
        Self { kind, damage: None, missing: None, source: None }
    }

    pub(crate) const fn corrupt(damage: Damage) -> Self {
        Self { kind: ErrorKind::Corrupt, damage: Some(damage), missing: None, source: None }
    }

    pub(crate) const fn truncated(missing: Range<u64>) -> Self {
        Self { kind: ErrorKind::Truncated, damage: None, missing: Some(missing), source: None }
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
            ErrorKind::Config
            | ErrorKind::Key
            | ErrorKind::Locked
            | ErrorKind::Directory
            | ErrorKind::Absent
            | ErrorKind::Checkpoint
            | ErrorKind::Closed => Fault::Caller,
            ErrorKind::Corrupt | ErrorKind::Truncated | ErrorKind::Forked | ErrorKind::Replaced => {
                Fault::Integrity
            }
            ErrorKind::Storage | ErrorKind::Entropy => Fault::Backend,
            ErrorKind::Bug => Fault::Bug,
        }
    }

    /// Whether the same call may succeed a little later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.fault().is_transient()
    }

    /// The first thing that is wrong, of [`ErrorKind::Corrupt`].
    #[must_use]
    pub const fn damage(&self) -> Option<Damage> {
        self.damage
    }

    /// The entries that are missing, of [`ErrorKind::Truncated`].
    #[must_use]
    pub fn missing(&self) -> Option<Range<u64>> {
        self.missing.clone()
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

impl From<io::Error> for Error {
    fn from(source: io::Error) -> Self {
        Self { kind: ErrorKind::Storage, damage: None, missing: None, source: Some(source) }
    }
}

impl From<NoEntropy> for Error {
    fn from(_: NoEntropy) -> Self {
        Self::new(ErrorKind::Entropy)
    }
}

impl From<Damage> for Error {
    fn from(damage: Damage) -> Self {
        Self::corrupt(damage)
    }
}

/// The part of the message that names entries.
struct Tail<'e>(&'e Error);

impl std::fmt::Display for Tail<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(damage) = &self.0.damage {
            write!(f, ": {damage}")?;
        }
        if let Some(missing) = &self.0.missing {
            write!(f, ": entries {} to {}", missing.start, missing.end.saturating_sub(1))?;
        }
        Ok(())
    }
}
