//! What can go wrong in this crate. A wrong password is an answer, not an error.

use bartizan_core::{Fault, NoEntropy};

/// An error of this crate. It never holds a password, a salt or a hash.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    kind: ErrorKind,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The password is longer than [`MAX_PASSWORD`](crate::MAX_PASSWORD) bytes.
    #[error("the password is too long")]
    TooLong,
    /// An empty password was to be hashed.
    #[error("the password is empty")]
    Empty,
    /// The memory budget is taken by other operations, or the machine has no more memory.
    #[error("the memory budget for password hashes is taken")]
    Busy,
    /// A stored hash is not in the PHC form of Argon2id version 19, or longer than [`MAX_PHC`](crate::MAX_PHC) bytes.
    #[error("the stored password hash is malformed")]
    Malformed,
    /// A stored hash asks for more memory, passes or lanes than are allowed here.
    #[error("the stored password hash costs more than is allowed")]
    TooCostly,
    /// Parameters below the floor or beyond the bounds of [`Params`](crate::Params).
    #[error("the parameters are below the floor or beyond the bounds")]
    Params,
    /// The memory budget does not hold one operation.
    #[error("the memory budget does not hold one operation")]
    Budget,
    /// Random bytes could not be drawn.
    #[error("random bytes could not be drawn")]
    Entropy,
    /// The primitive failed on valid input, which its documentation rules out.
    #[error("the primitive failed on valid input")]
    Primitive,
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
            ErrorKind::TooLong | ErrorKind::Empty => Fault::Peer,
            ErrorKind::Busy => Fault::Busy,
            ErrorKind::Malformed | ErrorKind::TooCostly => Fault::Integrity,
            ErrorKind::Params | ErrorKind::Budget => Fault::Caller,
            ErrorKind::Entropy => Fault::Backend,
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
