//! What can go wrong in this crate.

use bartizan_core::Fault;
use bartizan_envelope as envelope;

/// An error of this crate. It holds no name of a person, no key and no plaintext.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    kind: ErrorKind,
    #[source]
    source: Option<envelope::Error>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The grant was made by another authorizer than the vault's own.
    #[error("the grant is of another authority")]
    ForeignAuthority,
    /// The grant has ended.
    #[error("the grant has ended")]
    GrantExpired,
    /// The grant is for another record, kind or tenant.
    #[error("the grant is for another record")]
    OtherRecord,
    /// A record, its schema and what is asked of them do not agree: a field that is unknown, missing, given twice, of another
    /// type or class.
    #[error("the record and its schema do not agree")]
    Schema,
    /// A value or row id is not canonical or out of range, or a tenant is empty.
    #[error("a value or name is not canonical or out of range")]
    Value,
    /// A value, name or row id is too long.
    #[error("a value or name is too long")]
    TooLong,
    /// The stored row does not verify, whatever is wrong with it.
    #[error("the stored row does not verify")]
    Integrity,
    /// The tenant has no such key.
    #[error("the key of the row is not known")]
    KeyNotFound,
    /// The key is revoked: what it sealed stays closed.
    #[error("the key of the row is revoked or has ended")]
    KeyRevoked,
    /// The tenant has keys, and none of them is active.
    #[error("the tenant has no active key")]
    NoActiveKey,
    /// Key store or key management did not answer.
    #[error("the key store or key management did not answer")]
    Unavailable,
    /// Key store or key management is busy, or keys leave the cache faster than they are loaded.
    #[error("the key store or key management is busy")]
    Busy,
    /// Key management denies the use of a key, has disabled it, or is another one than the key was wrapped under.
    #[error("key management does not unwrap the key")]
    KeyManagement,
    /// Random bytes could not be drawn.
    #[error("random bytes could not be drawn")]
    Entropy,
    /// A primitive failed on valid input.
    #[error("a primitive failed on valid input")]
    Primitive,
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
            ErrorKind::ForeignAuthority
            | ErrorKind::GrantExpired
            | ErrorKind::OtherRecord
            | ErrorKind::Schema
            | ErrorKind::Value
            | ErrorKind::TooLong
            | ErrorKind::NoActiveKey
            | ErrorKind::KeyManagement => Fault::Caller,
            ErrorKind::Integrity | ErrorKind::KeyNotFound | ErrorKind::KeyRevoked => Fault::Integrity,
            ErrorKind::Unavailable | ErrorKind::Entropy => Fault::Backend,
            ErrorKind::Busy => Fault::Busy,
            ErrorKind::Primitive => Fault::Bug,
        }
    }

    /// Whether the same call may succeed a little later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.fault().is_transient()
    }

    /// What envelope says about stored bytes: what would be the caller's mistake on sealing is a damaged row here.
    pub(crate) fn stored(source: envelope::Error) -> Self {
        use envelope::ErrorKind as K;
        match source.kind() {
            K::Format | K::TooLong | K::Value | K::Name | K::Scope => {
                Self { kind: ErrorKind::Integrity, source: Some(source) }
            }
            _ => source.into(),
        }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl From<envelope::Error> for Error {
    fn from(source: envelope::Error) -> Self {
        use envelope::ErrorKind as K;
        let kind = match source.kind() {
            K::Integrity | K::Format | K::Scope => ErrorKind::Integrity,
            K::TooLong => ErrorKind::TooLong,
            K::Value => ErrorKind::Value,
            K::Name => ErrorKind::Value,
            K::KeyNotFound => ErrorKind::KeyNotFound,
            K::KeyRevoked => ErrorKind::KeyRevoked,
            K::NoActiveKey => ErrorKind::NoActiveKey,
            K::Unavailable => ErrorKind::Unavailable,
            K::Throttled => ErrorKind::Busy,
            K::Denied | K::Disabled | K::WrappingKey => ErrorKind::KeyManagement,
            K::Entropy => ErrorKind::Entropy,
            _ => ErrorKind::Primitive,
        };
        Self { kind, source: Some(source) }
    }
}
