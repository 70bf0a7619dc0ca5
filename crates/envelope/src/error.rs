//! What can go wrong in this crate, and in every wrapper and store.

use std::error::Error as StdError;

use bartizan_core::{Fault, NoEntropy};

/// An error of this crate. All cryptographic failures are one kind, and none holds key, name or plaintext bytes.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    kind: ErrorKind,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Stored bytes do not verify, whatever is wrong with them: commitment, tag, padding, canonical form, record seal, a
    /// wrapped key or a key's row.
    #[error("the sealed bytes do not verify")]
    Integrity,
    /// The bytes are no cell of a version and suite that is known here.
    #[error("the bytes are no sealed value of a known format")]
    Format,
    /// A value is over 65,534 bytes, a name over 255, a record over 1,024 fields.
    #[error("a value, name or record is too long")]
    TooLong,
    /// A value is not canonical, or is out of range.
    #[error("a value is not canonical or out of range")]
    Value,
    /// A name is empty, reserved (starts with `$`), or stands twice.
    #[error("a name is empty, reserved or stands twice")]
    Name,
    /// The key is for another tenant, subject or purpose.
    #[error("the key is for another tenant, subject or purpose")]
    Scope,
    /// No such key in this tenant and purpose.
    #[error("the key is not known")]
    KeyNotFound,
    /// The key is revoked or has ended; what it sealed stays closed.
    #[error("the key is revoked or has ended")]
    KeyRevoked,
    /// The scope has keys, and none of them is active. Nothing makes another by itself.
    #[error("no key of the scope is active")]
    NoActiveKey,
    /// Store or key management did not answer.
    #[error("the store or key management did not answer")]
    Unavailable,
    /// Key management asks to come back later, or too much goes on at once.
    #[error("the store or key management is busy")]
    Throttled,
    /// Key management does not let us use the key.
    #[error("key management denies the use of the key")]
    Denied,
    /// The key that wraps is disabled or about to be deleted.
    #[error("the wrapping key is disabled")]
    Disabled,
    /// A key was wrapped under another wrapping key than this one.
    #[error("the key was wrapped under another wrapping key")]
    WrappingKey,
    /// Random bytes could not be drawn.
    #[error("random bytes could not be drawn")]
    Entropy,
    /// A primitive failed on valid input, or an invariant does not hold.
    #[error("a primitive failed on valid input")]
    Primitive,
}

impl Error {
    /// An error of this kind, for wrappers and stores.
    #[must_use]
    pub const fn new(kind: ErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// An error of this kind with what caused it. The cause must hold no secret.
    #[must_use]
    pub fn with_source(kind: ErrorKind, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind, source: Some(source.into()) }
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Who has to act.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.kind.fault()
    }

    /// Whether the same call may succeed a little later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.fault().is_transient()
    }
}

impl ErrorKind {
    /// Who has to act.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::Integrity | Self::Format | Self::KeyNotFound | Self::KeyRevoked => Fault::Integrity,
            Self::TooLong
            | Self::Value
            | Self::Name
            | Self::Scope
            | Self::NoActiveKey
            | Self::Denied
            | Self::Disabled
            | Self::WrappingKey => Fault::Caller,
            Self::Unavailable | Self::Entropy => Fault::Backend,
            Self::Throttled => Fault::Busy,
            Self::Primitive => Fault::Bug,
        }
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
        Self::new(match error.kind() {
            bartizan_crypto::ErrorKind::Unverified => ErrorKind::Integrity,
            bartizan_crypto::ErrorKind::Entropy => ErrorKind::Entropy,
            bartizan_crypto::ErrorKind::Unavailable => ErrorKind::Unavailable,
            _ => ErrorKind::Primitive,
        })
    }
}
