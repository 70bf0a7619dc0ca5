//! Redis's errors in the words of the seam.

use bartizan_rate_limit::{Error, ErrorKind};
use redis::RedisError;

/// What a store answers when its server does not do what it is asked. Whatever is not known to be damage is an outage: it closes
/// or falls back, and never lets through.
pub(crate) fn translated(error: RedisError) -> Error {
    let kind = match error.code() {
        // The first is the script's own, of a value; the second is of a key that holds no string.
        Some("BARTIZAN" | "WRONGTYPE") => ErrorKind::Integrity,
        _ => ErrorKind::Unavailable,
    };
    Error::with_source(kind, error)
}
