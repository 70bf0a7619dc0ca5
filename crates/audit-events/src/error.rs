//! What can go wrong in this crate: an event that was received is not one.

use bartizan_core::{Fault, json::JsonFault};

/// Why a text is no security event.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    kind: ErrorKind,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Over 64 KiB, or more levels or members than an event has.
    #[error("the event is beyond its limits")]
    TooLarge,
    /// A member name stands twice.
    #[error("a member name of the event stands twice")]
    Duplicate,
    /// It is no JSON.
    #[error("the event is no JSON")]
    Malformed,
    /// A member is missing, unknown, of another type, or of the other form.
    #[error("the event does not have the members of an event")]
    Members,
    /// The catalogue has no such event.
    #[error("the event is not in the catalogue")]
    Event,
    /// There is no such severity.
    #[error("the severity is unknown")]
    Severity,
    /// There is no such outcome.
    #[error("the outcome is unknown")]
    Outcome,
    /// It is no IP address.
    #[error("the address is no IP address")]
    Address,
    /// It is no RFC 3339 time, or outside the years 1678 to 2261.
    #[error("the timestamp is no RFC 3339 time")]
    Time,
    /// A user, user agent, resource or action is empty or too long.
    #[error("a text of the event is empty or too long")]
    Text,
    /// More than 16 metadata, a malformed name, or a value that is no text of at most 256 bytes, whole number of at most
    /// 53 bits, `true` or `false`.
    #[error("the metadata are not bounded scalars")]
    Metadata,
}

impl Error {
    pub(crate) const fn new(kind: ErrorKind) -> Self {
        Self { kind }
    }

    /// What is wrong with it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Who has to act: whoever sent the text.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        Fault::Peer
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

impl From<JsonFault> for Error {
    fn from(fault: JsonFault) -> Self {
        Self::new(match fault {
            JsonFault::TooLarge => ErrorKind::TooLarge,
            JsonFault::Duplicate => ErrorKind::Duplicate,
            JsonFault::Shape => ErrorKind::Members,
            _ => ErrorKind::Malformed,
        })
    }
}
