//! What happened, kept with the write that it tells of until the recorder has it.

use std::fmt::Debug;

use async_trait::async_trait;
use bartizan_core::UnixTime;

use crate::{Error, SessionId};

/// What happened to a session, a key or a one-time token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Happening {
    /// A session began.
    Begun,
    /// A refresh token was exchanged, or a cookie renewed.
    Renewed,
    /// A refresh token was used a second time, and its session ended.
    Reused,
    /// A session was ended by its owner.
    LoggedOut,
    /// A session was ended for any other reason.
    Ended,
    /// All sessions of a subject were ended.
    AllEnded,
    /// All sessions of everybody were ended.
    EverythingEnded,
    /// An access token was revoked.
    TokenRevoked,
    /// An API key was made.
    KeyMade,
    /// An API key was replaced by a new one.
    KeyReplaced,
    /// An API key was ended.
    KeyEnded,
    /// A one-time token was made.
    OnceMade,
    /// A one-time token was used.
    OnceUsed,
}

impl Happening {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Begun,
        Self::Renewed,
        Self::Reused,
        Self::LoggedOut,
        Self::Ended,
        Self::AllEnded,
        Self::EverythingEnded,
        Self::TokenRevoked,
        Self::KeyMade,
        Self::KeyReplaced,
        Self::KeyEnded,
        Self::OnceMade,
        Self::OnceUsed,
    ];

    /// The word in stores.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Renewed => "renewed",
            Self::Reused => "reused",
            Self::LoggedOut => "logged_out",
            Self::Ended => "ended",
            Self::AllEnded => "all_ended",
            Self::EverythingEnded => "everything_ended",
            Self::TokenRevoked => "token_revoked",
            Self::KeyMade => "key_made",
            Self::KeyReplaced => "key_replaced",
            Self::KeyEnded => "key_ended",
            Self::OnceMade => "once_made",
            Self::OnceUsed => "once_used",
        }
    }

    /// From a store.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`](crate::ErrorKind::Integrity).
    pub fn parse(word: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|happening| happening.as_str() == word);
        found.ok_or_else(|| crate::ErrorKind::Integrity.into())
    }
}

/// What the caller adds to an entry: who did it, in which request, from where. At most 1 KiB of JSON, made by the engine; a store
/// keeps it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note(pub Box<str>);

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number: in the order of writing, never given twice. Deliveries are told apart by it.
    pub number: u64,
    /// When.
    pub at: UnixTime,
    /// What.
    pub happening: Happening,
    /// The tenant; empty for what concerns everybody.
    pub tenant: Box<str>,
    /// Whose; empty for what concerns everybody.
    pub subject: Box<str>,
    /// The session, or none.
    pub session: Option<SessionId>,
    /// Why a session ended, the name of a key, the purpose of a one-time token; may be empty.
    pub about: Box<str>,
    /// What the caller added.
    pub note: Note,
}

/// Hands out what happened, oldest first, until it is told that it was delivered. An entry is written in the transaction of what it
/// tells of: there is no write without it, and no entry without the write.
#[async_trait]
pub trait Outbox: Debug + Send + Sync + 'static {
    /// The oldest entries, at most `limit`.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable), `Busy`, `Integrity`.
    async fn pending(&self, limit: usize) -> Result<Vec<Entry>, Error>;

    /// Forgets entries that are on record. Numbers that are not there are no error.
    ///
    /// # Errors
    /// As [`Outbox::pending`].
    async fn delivered(&self, numbers: &[u64]) -> Result<(), Error>;
}
