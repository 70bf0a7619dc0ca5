//! The seam to where sessions are kept.

use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;
use bartizan_core::UnixTime;

use crate::{
    ApiKeyStore, Digest, Ended, Error, Note, OnceStore, Outbox, RevocationStore, Rotate, Rotation, Session,
    SessionId, SessionKey, StoredSession,
};

/// A session that is to begin.
#[derive(Clone, Debug)]
pub struct Begin {
    /// The row. The store sets its epochs to those of the subject now, in the same transaction.
    pub row: StoredSession,
    /// How many sessions the subject may have. None: any number.
    pub cap: Option<Cap>,
    /// The selector of a session that ends with it, such as that of the cookie which the browser still had. Whoever's it is.
    pub replaces: Option<Digest>,
    /// Until when an access token of an ended session may live.
    pub remember_until: UnixTime,
    /// The time, in whole milliseconds.
    pub now: UnixTime,
    /// What else the audit record says.
    pub note: Note,
}

/// How many sessions a subject may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// This many that live, of both kinds together.
    pub most: u32,
    /// What becomes of one more.
    pub when_full: WhenFull,
}

/// What becomes of one session more than there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// The one that was not used for longest ends.
    EndOldest,
    /// It is refused.
    Refuse,
}

/// Whether it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It did, under this name.
    As(SessionId),
    /// There are as many as there may be.
    TooMany,
}

/// Which sessions are to end.
#[derive(Clone, Copy, Debug)]
pub enum End<'a> {
    /// This one of this subject.
    One {
        /// The tenant.
        tenant: &'a str,
        /// The subject.
        subject: &'a str,
        /// The session.
        key: SessionKey,
    },
    /// All of this subject but this one.
    Others {
        /// The tenant.
        tenant: &'a str,
        /// The subject.
        subject: &'a str,
        /// The session that stays.
        keep: SessionKey,
    },
    /// All of this subject, its one-time tokens, and whatever it holds of an earlier epoch: the subject's epoch goes up.
    All {
        /// The tenant.
        tenant: &'a str,
        /// The subject.
        subject: &'a str,
    },
    /// Everybody's: the global epoch goes up.
    Everything,
}

/// Keeps sessions, one row each. Every store holds to five rules, whatever runs at once and wherever it is killed:
///
/// 1. of all secrets ever given out for a session, at most one is current;
/// 2. what is answered is durable, and a write is done whole or not at all: the row, its revocation in the feed and its entry in the
///    outbox;
/// 3. what ended stays ended;
/// 4. [`judge`](crate::judge) decides what becomes of a presented secret;
/// 5. a row that cannot be read is [`ErrorKind::Integrity`](crate::ErrorKind::Integrity), never an unknown one.
///
/// Times come from the caller, in whole milliseconds ([`to_millis`]); a store reads no clock.
#[async_trait]
pub trait SessionStore: Debug + Send + Sync + 'static {
    /// Begins a session.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable), `Busy`, `Integrity`.
    async fn begin(&self, begin: &Begin) -> Result<Begun, Error>;

    /// Exchanges a secret, in one step.
    ///
    /// # Errors
    /// As [`SessionStore::begin`].
    async fn rotate(&self, ask: &Rotate) -> Result<Rotation, Error>;

    /// The row of this selector if its session is neither ended nor of an earlier epoch. It may have expired: that is the caller's to
    /// say.
    ///
    /// # Errors
    /// As [`SessionStore::begin`].
    async fn find(&self, selector: &Digest) -> Result<Option<StoredSession>, Error>;

    /// Closes the grace window of this session if its secret is still of this generation.
    ///
    /// # Errors
    /// As [`SessionStore::begin`].
    async fn confirm(&self, key: SessionKey, generation: u64) -> Result<(), Error>;

    /// Notes that a living session was used, and that it lives on until `idle_expires`. Never moves a time back, nor beyond the
    /// session's end. No entry in the outbox.
    ///
    /// # Errors
    /// As [`SessionStore::begin`].
    async fn seen(&self, key: SessionKey, now: UnixTime, idle_expires: UnixTime) -> Result<(), Error>;

    /// The sessions of a subject that live at `now`, last used first.
    ///
    /// # Errors
    /// As [`SessionStore::begin`].
    async fn list(&self, tenant: &str, subject: &str, now: UnixTime) -> Result<Vec<Session>, Error>;

    /// Ends sessions, and answers how many lived. `until` is how long an access token issued before may live.
    ///
    /// # Errors
    /// As [`SessionStore::begin`].
    async fn end(
        &self,
        end: End<'_>,
        why: Ended,
        now: UnixTime,
        until: UnixTime,
        note: &Note,
    ) -> Result<u64, Error>;
}

/// All that a service's sessions need kept, in one place and one transaction.
#[async_trait]
pub trait Store: SessionStore + RevocationStore + Outbox + ApiKeyStore + OnceStore {
    /// Deletes what no longer matters at `now`: sessions, keys and tokens that ended or expired over `keep` ago, nonces of closed
    /// windows, revocations past their `until`. Answers how many rows it deleted, and deletes at most some thousands a call.
    ///
    /// # Errors
    /// `Unavailable`, `Busy`.
    async fn purge(&self, now: UnixTime, keep: Duration) -> Result<u64, Error>;

    /// Whether the store answers.
    ///
    /// # Errors
    /// `Unavailable`, `Busy`.
    async fn health(&self) -> Result<(), Error>;
}

/// A time as stores keep it: whole milliseconds since 1970, rounded down.
#[must_use]
pub const fn to_millis(time: UnixTime) -> i64 {
    time.as_nanos().div_euclid(1_000_000)
}

/// A time from a store.
#[must_use]
pub const fn from_millis(millis: i64) -> UnixTime {
    UnixTime::from_nanos(millis.saturating_mul(1_000_000))
}
