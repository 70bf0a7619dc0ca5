//! What can go wrong in this crate and in every provider.

use bartizan_core::{Fault, NoEntropy};

/// An error of a primitive. It never says which step of a check failed, and never holds key or message bytes.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    kind: ErrorKind,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A signature, tag or MAC does not verify.
    #[error("the bytes do not verify")]
    Unverified,
    /// A key is too short, too long, not on its curve, of small order, or does not fit its public half.
    #[error("the key cannot be used")]
    Key,
    /// The provider does not have this algorithm.
    #[error("the provider does not have this algorithm")]
    Unsupported,
    /// An input is longer than the primitive allows.
    #[error("the input is too long")]
    TooLong,
    /// Random bytes could not be drawn.
    #[error("random bytes could not be drawn")]
    Entropy,
    /// A remote signer did not answer.
    #[error("the signer did not answer")]
    Unavailable,
    /// The primitive failed on valid input, which its documentation rules out.
    #[error("the primitive failed on valid input")]
    Primitive,
}

impl Error {
    /// An error of this kind, for providers.
    #[must_use]
    pub const fn new(kind: ErrorKind) -> Self {
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
            ErrorKind::Unverified => Fault::Peer,
            ErrorKind::Key | ErrorKind::Unsupported | ErrorKind::TooLong => Fault::Caller,
            ErrorKind::Entropy | ErrorKind::Unavailable => Fault::Backend,
            ErrorKind::Primitive => Fault::Bug,
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
