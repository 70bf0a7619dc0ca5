//! What can go wrong in this crate; SQLite's own errors are translated here.

use bartizan_core::Fault;
use rusqlite::ErrorCode;

/// An error of this crate. It names no statement and no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    kind: ErrorKind,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The queue is full.
    #[error("the database's queue is full")]
    Busy,
    /// The database is shut down, or its thread has ended.
    #[error("the database is closed")]
    Closed,
    /// The file cannot be opened, or is no database.
    #[error("the database cannot be opened")]
    Open,
    /// A migration differs from the one that was applied, or is missing.
    #[error("the database's schema is not what this program expects")]
    Schema,
    /// A constraint of the schema refuses the write: a duplicate key, a missing parent.
    #[error("a constraint refuses the write")]
    Constraint,
    /// The disk is full, or reading or writing failed.
    #[error("the database cannot be read or written")]
    Io,
    /// The file's contents are damaged.
    #[error("the database is damaged")]
    Corrupt,
    /// A statement is wrong, or a closure panicked.
    #[error("a statement failed")]
    Statement,
}

impl Error {
    pub(crate) const fn new(kind: ErrorKind) -> Self {
        Self { kind }
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
            ErrorKind::Busy => Fault::Busy,
            ErrorKind::Closed | ErrorKind::Io => Fault::Backend,
            ErrorKind::Open | ErrorKind::Schema | ErrorKind::Constraint => Fault::Caller,
            ErrorKind::Corrupt => Fault::Integrity,
            ErrorKind::Statement => Fault::Bug,
        }
    }

    /// Whether the same call may succeed a little later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.fault().is_transient()
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::new(match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => ErrorKind::Constraint,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ErrorKind::Busy,
            Some(
                ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory
                | ErrorCode::OperationInterrupted,
            ) => ErrorKind::Io,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => ErrorKind::Corrupt,
            _ => ErrorKind::Statement,
        })
    }
}
