//! What can go wrong when a store is opened; and Postgres' errors in the words of the seam.

use bartizan_core::Fault;
use bartizan_rbac::{SourceError, SourceErrorKind};

/// Why a store was not opened. It names no statement and no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    kind: ErrorKind,
    sqlstate: Option<Box<str>>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The schema's name or the time bound is beyond its limits.
    #[error("the configuration is refused")]
    Config,
    /// The server may lose what it has answered: `fsync` or `full_page_writes` is off.
    #[error("the server does not keep what it answers")]
    Durability,
    /// The tables are missing, older than this program, or not what it expects.
    #[error("the tables are not what this program expects")]
    Schema,
    /// The server refuses a statement: most often the role may not do that.
    #[error("the server refuses a statement")]
    Refused,
    /// The server cannot be asked.
    #[error("the server is unavailable")]
    Unavailable,
}

impl Error {
    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Postgres' own five characters for it (SQLSTATE), where it had any.
    #[must_use]
    pub fn sqlstate(&self) -> Option<&str> {
        self.sqlstate.as_deref()
    }

    /// Who has to act.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self.kind {
            ErrorKind::Config | ErrorKind::Durability | ErrorKind::Schema | ErrorKind::Refused => {
                Fault::Caller
            }
            ErrorKind::Unavailable => Fault::Backend,
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.fault().is_transient()
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self { kind, sqlstate: None }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let kind = match failure.kind {
            SourceErrorKind::Unavailable | SourceErrorKind::Busy => ErrorKind::Unavailable,
            _ => ErrorKind::Refused,
        };
        Self { kind, sqlstate: failure.sqlstate }
    }
}

/// A call that failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: SourceErrorKind,
    pub(crate) sqlstate: Option<Box<str>>,
}

impl Failure {
    /// The server undid it for another one's sake: the same again may succeed at once.
    pub(crate) fn was_undone_for_another(&self) -> bool {
        matches!(self.sqlstate.as_deref(), Some("40001" | "40P01"))
    }
}

impl From<SourceErrorKind> for Failure {
    fn from(kind: SourceErrorKind) -> Self {
        Self { kind, sqlstate: None }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => {
                let sqlstate: Option<Box<str>> = error.code().map(|code| (*code).into());
                Self { kind: kind(sqlstate.as_deref().unwrap_or_default()), sqlstate }
            }
            // What cannot be decoded is of another type or shape than this crate writes.
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. }
            | sqlx::Error::RowNotFound
            | sqlx::Error::TypeNotFound { .. } => SourceErrorKind::Integrity.into(),
            _ => SourceErrorKind::Unavailable.into(),
        }
    }
}

/// Appendix A of Postgres' manual; the first two characters are the class.
fn kind(sqlstate: &str) -> SourceErrorKind {
    match (sqlstate, sqlstate.get(..2)) {
        // A character that a text cannot have: zero.
        ("22021", _) => SourceErrorKind::Unstorable,
        // Undone for another one's sake more often than is tried again; waited for a lock for too long; too many connections.
        ("40001" | "40P01" | "55P03" | "57014" | "53300", _) => SourceErrorKind::Busy,
        // The role may not do that.
        ("42501", _) => SourceErrorKind::Config,
        // A broken constraint is a damaged row. Statements are fixed: one that fails finds other
        // tables than the ones made here. XX: damaged pages and indexes.
        (_, Some("22" | "23" | "42" | "XX")) => SourceErrorKind::Integrity,
        _ => SourceErrorKind::Unavailable,
    }
}

/// With Postgres' own five characters, for operators.
impl From<Failure> for SourceError {
    fn from(failure: Failure) -> Self {
        Self::because(failure.kind, Error::from(failure))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_in_the_words_of_the_seam() {
        for (sqlstate, expected) in [
            ("40001", SourceErrorKind::Busy),
            ("55P03", SourceErrorKind::Busy),
            ("57014", SourceErrorKind::Busy),
            ("57P01", SourceErrorKind::Unavailable),
            ("53100", SourceErrorKind::Unavailable),
            ("25006", SourceErrorKind::Unavailable),
            ("08006", SourceErrorKind::Unavailable),
            ("23505", SourceErrorKind::Integrity),
            ("42P01", SourceErrorKind::Integrity),
            ("XX001", SourceErrorKind::Integrity),
            ("42501", SourceErrorKind::Config),
            ("22021", SourceErrorKind::Unstorable),
            ("", SourceErrorKind::Unavailable),
        ] {
            assert_eq!(kind(sqlstate), expected, "{sqlstate}");
        }
    }
}
