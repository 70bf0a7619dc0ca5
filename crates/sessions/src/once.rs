//! The seam to where one-time tokens are kept: for password reset, e-mail verification, and steps that happen once.

use std::fmt::Debug;

use async_trait::async_trait;
use bartizan_core::UnixTime;

use crate::{Digest, Error, Note};

/// A one-time token to be kept. All times are in whole milliseconds.
#[derive(Clone, Debug)]
pub struct NewOnce<'a> {
    /// The digest of the token.
    pub digest: Digest,
    /// What it is for, such as `password_reset`.
    pub purpose: &'a str,
    /// The tenant.
    pub tenant: &'a str,
    /// For whom.
    pub subject: &'a str,
    /// What it carries, such as an address to be verified; at most 1 KiB.
    pub data: &'a str,
    /// When it ends.
    pub expires: UnixTime,
    /// The time.
    pub now: UnixTime,
    /// What else the audit record says.
    pub note: &'a Note,
}

/// A one-time token that was used just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The tenant.
    pub tenant: Box<str>,
    /// For whom.
    pub subject: Box<str>,
    /// What it carried.
    pub data: Box<str>,
}

/// Keeps one-time tokens and one-way counters. Each use has its entry in the outbox, in the same transaction.
#[async_trait]
pub trait OnceStore: Debug + Send + Sync + 'static {
    /// Keeps a token together with its subject's epochs of now. An earlier token of the same purpose and subject is gone with it.
    ///
    /// # Errors
    /// `Unavailable`, `Busy`.
    async fn put_once(&self, new: &NewOnce<'_>) -> Result<(), Error>;

    /// Takes a token away: of all that try at once, one succeeds. None when there is none of this purpose, it has expired, or its
    /// subject's epochs are others than when it was made.
    ///
    /// # Errors
    /// `Unavailable`, `Busy`, `Integrity`.
    async fn take_once(
        &self,
        digest: &Digest,
        purpose: &str,
        now: UnixTime,
        note: &Note,
    ) -> Result<Option<Taken>, Error>;

    /// Moves a counter of a subject up to `to`. False when it stands there or higher: of all that try the same number at once, one
    /// succeeds. For the time steps of one-time passwords. No entry in the outbox.
    ///
    /// # Errors
    /// `Unavailable`, `Busy`.
    async fn advance(&self, tenant: &str, subject: &str, counter: &str, to: u64) -> Result<bool, Error>;
}
