//! SQLite's errors in the words of the seam.

use bartizan_envelope::{Error, ErrorKind};
use bartizan_sqlite_writer as sqlite;

/// What a store answers when its database does not do what it is asked.
pub(crate) fn translated(error: sqlite::Error) -> Error {
    let kind = match error.kind() {
        sqlite::ErrorKind::Busy => ErrorKind::Throttled,
        sqlite::ErrorKind::Corrupt => ErrorKind::Integrity,
        sqlite::ErrorKind::Statement => ErrorKind::Primitive,
        _ => ErrorKind::Unavailable,
    };
    Error::with_source(kind, error)
}
