//! What is believed no more, as a store tells it.

use std::fmt::Debug;

use async_trait::async_trait;
use bartizan_core::UnixTime;

use crate::{Epochs, Error, Note, SessionId, SessionKey};

/// What was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// One access token, by its `jti`.
    Token(Box<str>),
    /// One session, and with it every access token that bears its name.
    Session(SessionKey),
    /// Every session of a subject of an earlier epoch than this one.
    Subject {
        /// The tenant.
        tenant: Box<str>,
        /// The subject.
        subject: Box<str>,
        /// The epoch that is valid from now on.
        epoch: u32,
    },
    /// Every session of everybody of an earlier epoch than this one.
    Everything {
        /// The epoch that is valid from now on.
        epoch: u32,
    },
}

/// One revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// What was revoked.
    pub scope: Scope,
    /// When. Tokens without a session's name are judged by it: those issued in the second of `at` or before are dead.
    pub at: UnixTime,
    /// Until when it has to be remembered: nothing that it concerns lives longer.
    pub until: UnixTime,
}

/// A place in the feed; zero is before its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

/// A piece of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// In the order in which they were committed.
    pub revocations: Vec<Revocation>,
    /// Where to go on: before where it was read from only if the feed ends before that.
    pub next: Position,
    /// Whether there is more at once.
    pub more: bool,
}

/// Of what it is asked whether it was revoked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The token's `jti`.
    pub jti: Option<&'a str>,
    /// The session.
    pub session: Option<SessionId>,
    /// The tenant.
    pub tenant: &'a str,
    /// The subject.
    pub subject: &'a str,
    /// When the token was issued, in whole seconds.
    pub issued_at: UnixTime,
}

/// Keeps revocations and tells them in order.
///
/// 1. What is revoked is in the feed in the same transaction.
/// 2. Whoever reads the feed to its end has seen everything that was committed before: a reader never passes a position that is
///    still being written.
/// 3. A revocation stays in the feed until its `until`.
#[async_trait]
pub trait RevocationStore: Debug + Send + Sync + 'static {
    /// Revokes one access token. Twice is as once.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable), `Busy`.
    async fn revoke_token(
        &self,
        jti: &str,
        tenant: &str,
        subject: &str,
        now: UnixTime,
        until: UnixTime,
        note: &Note,
    ) -> Result<(), Error>;

    /// Whether it was revoked, as of now: the token by its `jti`; its session ended, unknown or of an earlier epoch; without a
    /// session, its subject's or everybody's last ending in or after the second in which it was issued.
    ///
    /// # Errors
    /// As [`RevocationStore::revoke_token`], and `Integrity`.
    async fn is_revoked(&self, asked: &Asked<'_>) -> Result<bool, Error>;

    /// The feed from after `after`, at most `limit` revocations. Where `after` is beyond every position that was ever given,
    /// [`Feed::next`] is before it: a store that was restored, or took over from another, so sends its readers back.
    ///
    /// # Errors
    /// As [`RevocationStore::is_revoked`].
    async fn revocations(&self, after: Position, limit: usize) -> Result<Feed, Error>;

    /// The epochs of a subject now: zero each where nothing was ever ended.
    ///
    /// # Errors
    /// As [`RevocationStore::is_revoked`].
    async fn epochs(&self, tenant: &str, subject: &str) -> Result<Epochs, Error>;
}
