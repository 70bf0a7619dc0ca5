//! SQLite's errors in the words of the seam.

use bartizan_sessions::{Error, ErrorKind};
use bartizan_sqlite_writer as sqlite;

/// What a store answers when its database does not do what it is asked.
pub(crate) fn translated(error: &sqlite::Error) -> Error {
    Error::new(match error.kind() {
        sqlite::ErrorKind::Busy => ErrorKind::Busy,
        // A broken constraint is a name that is there already, or a damaged row. Statements are fixed: one that fails finds other
        // tables than the ones made here.
        sqlite::ErrorKind::Corrupt | sqlite::ErrorKind::Constraint | sqlite::ErrorKind::Statement => {
            ErrorKind::Integrity
        }
        _ => ErrorKind::Unavailable,
    })
}

/// A row that cannot be read. It undoes what the closure did, and comes out as [`ErrorKind::Integrity`].
pub(crate) fn damaged() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT), None)
}
