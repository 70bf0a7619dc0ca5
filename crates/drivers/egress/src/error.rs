//! What can go wrong in this crate.

use std::{error::Error as _, io};

use bartizan_core::Fault;

/// An error of this crate. It holds nothing that a peer sent, no URL and no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    kind: ErrorKind,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting of the client is out of bounds, or its certificates cannot be read.
    #[error("the client's settings do not fit")]
    Config,
    /// The URL cannot be read, or could be read in two ways.
    #[error("the url is malformed")]
    Url,
    /// A header has a malformed name or value, or is one that the client writes itself.
    #[error("a header of the request cannot be sent")]
    Header,
    /// The guard refuses to go there.
    #[error("the guard refuses: {0}")]
    Refused(Refusal),
    /// The name does not resolve.
    #[error("the name does not resolve")]
    Resolve,
    /// No connection, or it was broken off.
    #[error("the connection failed")]
    Connect,
    /// The peer's certificate or TLS is not acceptable.
    #[error("the connection cannot be secured")]
    Tls,
    /// A deadline passed.
    #[error("the peer took too long")]
    Timeout,
    /// The peer pointed elsewhere. Nothing is followed.
    #[error("the peer redirects")]
    Redirect,
    /// The body, or everything that was sent together, is beyond a limit.
    #[error("the answer is beyond a limit")]
    TooLarge,
    /// The body comes in an encoding, and none was asked for.
    #[error("the answer is in an encoding")]
    Encoding,
    /// No proper HTTP, or headers beyond a limit.
    #[error("the answer is malformed")]
    Protocol,
}

/// Why the guard refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The host is not among those of [`Guard::only_hosts`](crate::Guard::only_hosts).
    #[error("the host is not on the list")]
    Host,
    /// Plain `http`.
    #[error("the scheme is not https")]
    Scheme,
    /// The port is not allowed.
    #[error("the port is not on the list")]
    Port,
    /// An address of the host is not one of the public internet.
    #[error("the address is not public")]
    Address,
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
        match self.kind {
            ErrorKind::Config | ErrorKind::Url | ErrorKind::Header | ErrorKind::Refused(_) => Fault::Caller,
            ErrorKind::Resolve
            | ErrorKind::Connect
            | ErrorKind::Tls
            | ErrorKind::Timeout
            | ErrorKind::Redirect
            | ErrorKind::TooLarge
            | ErrorKind::Encoding
            | ErrorKind::Protocol => Fault::Backend,
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
        Self { kind }
    }
}

impl From<Refusal> for Error {
    fn from(why: Refusal) -> Self {
        Self { kind: ErrorKind::Refused(why) }
    }
}

/// From what a connection said. Its own text is dropped: the peer may have written it.
impl From<hyper::Error> for Error {
    fn from(error: hyper::Error) -> Self {
        // The parser does not tell outside whether a head is malformed or too large. What is wrong with a chunk comes as an error
        // of reading.
        let is_malformed = error.is_parse()
            || error.source().and_then(|source| source.downcast_ref::<io::Error>()).is_some_and(|error| {
                matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
            });
        Self { kind: if is_malformed { ErrorKind::Protocol } else { ErrorKind::Connect } }
    }
}
