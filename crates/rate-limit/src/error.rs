//! What can go wrong in this crate. A refusal is an answer, not an error.

use std::error::Error as StdError;

use bartizan_core::{Fault, NoEntropy};

/// An error of this crate. It never holds an address, an account or a key.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    kind: ErrorKind,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A quota out of the bounds of [`Quota::per`](crate::Quota::per).
    #[error("the quota is out of its bounds")]
    Quota,
    /// A policy's name is empty, longer than 32 bytes, or has other characters than `a–z`, `0–9`, `-` and `_`.
    #[error("the name of the policy is malformed")]
    Name,
    /// One request would cost more than the policy allows at once: it could never be admitted.
    #[error("the cost is more than the burst")]
    Cost,
    /// A network is not in the form `address/bits`, has bits beyond its prefix, or trusts every address there is.
    #[error("the network is malformed")]
    Network,
    /// A configuration that leaves nothing to decide, such as a chain of no proxies.
    #[error("the configuration is out of its bounds")]
    Configuration,
    /// A header field that was read is not in the form of its version, or is too long.
    #[error("the header field is malformed")]
    Header,
    /// The store did not answer, or not in time.
    #[error("the store of the limits does not answer")]
    Unavailable,
    /// The store holds something that is no state of a limit.
    #[error("the store holds something that is no state of a limit")]
    Integrity,
    /// Random bytes could not be drawn.
    #[error("random bytes could not be drawn")]
    Entropy,
    /// A primitive failed, or a store broke its contract.
    #[error("a primitive failed or a store broke its contract")]
    Bug,
}

impl Error {
    /// An error of this kind.
    #[must_use]
    pub const fn new(kind: ErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// An error with what caused it, for stores.
    #[must_use]
    pub fn with_source(kind: ErrorKind, source: impl StdError + Send + Sync + 'static) -> Self {
        Self { kind, source: Some(Box::new(source)) }
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Who has to act. A store that does not answer is a backend's fault: 503, never 429.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self.kind {
            ErrorKind::Quota
            | ErrorKind::Name
            | ErrorKind::Cost
            | ErrorKind::Network
            | ErrorKind::Configuration => Fault::Caller,
            ErrorKind::Header => Fault::Peer,
            ErrorKind::Unavailable | ErrorKind::Entropy => Fault::Backend,
            ErrorKind::Integrity => Fault::Integrity,
            ErrorKind::Bug => Fault::Bug,
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

impl From<NoEntropy> for Error {
    fn from(_: NoEntropy) -> Self {
        Self::new(ErrorKind::Entropy)
    }
}

impl From<bartizan_crypto::Error> for Error {
    fn from(error: bartizan_crypto::Error) -> Self {
        Self::with_source(ErrorKind::Bug, error)
    }
}
