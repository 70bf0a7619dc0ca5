//! What can go wrong in this crate, and what the client's errors mean to whoever waits for keys.

use bartizan_core::Fault;
use bartizan_egress::ErrorKind as Egress;
use bartizan_tokens::{FetchError, FetchErrorKind};

/// An error of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    kind: ErrorKind,
    source: bartizan_egress::Error,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A URL cannot be asked under the rules that were given, or TLS cannot be set up.
    #[error("the transport's settings do not fit")]
    Config,
    /// A request failed.
    #[error("the request failed")]
    Request,
}

impl Error {
    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Who has to act.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.source.fault()
    }

    /// Whether the same call may succeed a little later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.source.is_transient()
    }
}

impl From<bartizan_egress::Error> for Error {
    fn from(source: bartizan_egress::Error) -> Self {
        let kind = if source.is_transient() { ErrorKind::Request } else { ErrorKind::Config };
        Self { kind, source }
    }
}

/// In the words of the seam.
pub(crate) fn fetch(error: Error) -> FetchError {
    FetchError::new(match error.source.kind() {
        Egress::Resolve | Egress::Connect => FetchErrorKind::Unreachable,
        Egress::Tls => FetchErrorKind::Tls,
        Egress::Timeout => FetchErrorKind::Timeout,
        Egress::Redirect => FetchErrorKind::Redirect,
        Egress::TooLarge => FetchErrorKind::TooLarge,
        Egress::Config | Egress::Url | Egress::Header | Egress::Refused(_) => FetchErrorKind::Forbidden,
        _ => FetchErrorKind::Protocol,
    })
}
