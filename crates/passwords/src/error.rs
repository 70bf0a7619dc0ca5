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
    /// A stored hash is of no form that [`PasswordHash`](crate::PasswordHash) lists, or longer than
    /// [`MAX_PHC`](crate::MAX_PHC) bytes.
    #[error("the stored password hash is malformed")]
    Malformed,
    /// A stored hash is of a scheme that protects nothing, such as a plain text or a single MD5.
    #[error("the stored password hash is of a scheme that protects nothing")]
    Refused,
    /// A stored hash asks for more memory or more work than is allowed here.
    #[error("the stored password hash costs more than is allowed")]
    TooCostly,
    /// Parameters below the floor or beyond the bounds of [`Params`](crate::Params).
    #[error("the parameters are below the floor or beyond the bounds")]
    Params,
    /// The memory budget does not hold one operation.
    #[error("the memory budget does not hold one operation")]
    Budget,
    /// A pepper's id or key is of another length than is allowed, or two peppers have the same.
    #[error("a pepper has the wrong length or the id or key of another")]
    Pepper,
    /// A stored hash was made with a pepper that is not known here: its user can be neither let in nor turned away.
    #[error("the stored password hash needs a pepper that is not known here")]
    UnknownPepper,
    /// Random bytes could not be drawn.
    #[error("random bytes could not be drawn")]
    Entropy,
    /// A file of breached passwords is not of the form of this crate, or damaged.
    #[error("the file of breached passwords is malformed")]
    Filter,
    /// A file of breached passwords, or one that it is made of, could not be read or written.
    #[error("a file of breached passwords could not be read or written: {0}")]
    FilterIo(std::io::ErrorKind),
    /// A list of breached passwords has a line that is none, has none at all, or its hashes are no hashes: they pile up.
    #[error("the list of breached passwords is malformed")]
    List,
    /// A secret for one-time codes is shorter than 16 bytes, longer than 64, or no Base32.
    #[error("the secret for one-time codes is malformed")]
    OtpSecret,
    /// An issuer or account name that an enrolment URI cannot carry.
    #[error("the issuer or the account is empty, too long or has a colon or a control character")]
    Label,
    /// Not an enrolment URI for one-time codes, or one that asks for what is not done here.
    #[error("the enrolment uri is malformed")]
    Uri,
    /// Stored recovery codes are not of the form of this crate.
    #[error("the stored recovery codes are malformed")]
    Stored,
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
            ErrorKind::Malformed
            | ErrorKind::Refused
            | ErrorKind::TooCostly
            | ErrorKind::Filter
            | ErrorKind::Stored => Fault::Integrity,
            ErrorKind::Params
            | ErrorKind::Budget
            | ErrorKind::Pepper
            | ErrorKind::List
            | ErrorKind::OtpSecret
            | ErrorKind::Label
            | ErrorKind::Uri => Fault::Caller,
            ErrorKind::Entropy | ErrorKind::UnknownPepper | ErrorKind::FilterIo(_) => Fault::Backend,
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
