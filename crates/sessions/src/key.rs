//! The seam to where API keys are kept.

use std::fmt::{self, Debug};

use async_trait::async_trait;
use bartizan_core::UnixTime;

use crate::{Digest, Error, ErrorKind, Note};

/// An API key's name: 128 random bits, no secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 16]);

impl KeyId {
    /// From stored bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// For stores.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// 32 hexadecimal digits.
impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An API key: a credential of a program. All times are in whole milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Its name.
    pub id: KeyId,
    /// The digest of its selector: the row is found by it.
    pub selector: Digest,
    /// The digest of its secret.
    pub secret: Digest,
    /// The tenant of its owner.
    pub tenant: Box<str>,
    /// Whose it is: a user or a service.
    pub subject: Box<str>,
    /// What people call it.
    pub name: Box<str>,
    /// What it may be used for, at most 64.
    pub scopes: Vec<Box<str>>,
    /// When it was made.
    pub made: UnixTime,
    /// When it ends.
    pub expires: UnixTime,
    /// When it was last used, to within a minute; none: never.
    pub used: Option<UnixTime>,
    /// When it was ended.
    pub ended: Option<UnixTime>,
}

impl StoredKey {
    /// What a store keeps of the scopes: a JSON array.
    ///
    /// # Errors
    /// [`ErrorKind::Limits`].
    pub fn scopes_to_text(&self) -> Result<String, Error> {
        serde_json::to_string(&self.scopes).map_err(|_| ErrorKind::Limits.into())
    }

    /// Reads what a store kept of the scopes.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`].
    pub fn scopes_from_text(text: &str) -> Result<Vec<Box<str>>, Error> {
        serde_json::from_str(text).map_err(|_| ErrorKind::Integrity.into())
    }
}

/// A key that takes another one's place.
#[derive(Clone, Debug)]
pub struct KeyReplacement {
    /// The key that goes.
    pub old: KeyId,
    /// Until when it is still valid, unless it ends earlier anyway.
    pub old_until: UnixTime,
    /// The key that comes, of the same owner.
    pub new: StoredKey,
}

/// Keeps API keys. Each write has its entry in the outbox, in the same transaction.
#[async_trait]
pub trait ApiKeyStore: Debug + Send + Sync + 'static {
    /// Adds a key. Its id and selector are new; else [`ErrorKind::Integrity`](crate::ErrorKind::Integrity).
    /// `most` is how many living keys its owner may have with this one; one more is `TooMany`.
    ///
    /// # Errors
    /// As said, and `Unavailable`, `Busy`.
    async fn add_key(&self, key: &StoredKey, most: u32, note: &Note) -> Result<(), Error>;

    /// The key of this selector, dead or alive.
    ///
    /// # Errors
    /// `Unavailable`, `Busy`, `Integrity`.
    async fn find_key(&self, selector: &Digest) -> Result<Option<StoredKey>, Error>;

    /// The keys of an owner, oldest first, dead or alive, until they are purged.
    ///
    /// # Errors
    /// As [`ApiKeyStore::find_key`].
    async fn keys(&self, tenant: &str, subject: &str) -> Result<Vec<StoredKey>, Error>;

    /// Puts a key in another one's place. False when the old one does not live, or is another owner's; nothing is written then.
    ///
    /// # Errors
    /// As [`ApiKeyStore::find_key`].
    async fn replace_key(
        &self,
        replacement: &KeyReplacement,
        now: UnixTime,
        note: &Note,
    ) -> Result<bool, Error>;

    /// Ends a key of this owner. False when it is not alive or another owner's.
    ///
    /// # Errors
    /// As [`ApiKeyStore::find_key`].
    async fn end_key(
        &self,
        tenant: &str,
        subject: &str,
        id: KeyId,
        now: UnixTime,
        note: &Note,
    ) -> Result<bool, Error>;

    /// Notes that a key was used. Never moves the time back, and has no entry in the outbox.
    ///
    /// # Errors
    /// `Unavailable`, `Busy`.
    async fn key_used(&self, id: KeyId, at: UnixTime) -> Result<(), Error>;
}
