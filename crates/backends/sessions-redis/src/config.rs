//! How sessions are kept on a server.

use std::time::Duration;

use crate::{Error, ErrorKind};

/// How sessions are kept on a server. All that is stored lies under one prefix, and on a cluster in one slot.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) prefix: Box<str>,
    pub(crate) timeout: Duration,
    pub(crate) keep: Duration,
    pub(crate) durability: Durability,
    pub(crate) min_replicas: u32,
}

/// What of the server's persistence is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// `appendfsync always`.
    EveryWrite,
    /// `appendfsync everysec` does.
    EverySecond,
    /// Nothing.
    Unchecked,
}

impl Config {
    /// All keys begin with `{prefix}:`; 1 to 32 characters of `a-z`, `0-9`, `-` and `_`. Services of one name share their
    /// sessions; tests and tenants of one server take names of their own.
    ///
    /// # Errors
    /// [`ErrorKind::Config`].
    pub fn new(prefix: &str) -> Result<Self, Error> {
        let is_good = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        if prefix.is_empty() || prefix.len() > 32 || !prefix.bytes().all(is_good) {
            return Err(ErrorKind::Config.into());
        }
        Ok(Self {
            prefix: prefix.into(),
            timeout: Duration::from_secs(2),
            keep: Duration::from_secs(7 * 24 * 60 * 60),
            durability: Durability::EveryWrite,
            min_replicas: 0,
        })
    }

    /// How long a call may take, connecting included, until it is `Unavailable`: 10 ms to 60 s, 2 s when nothing is said.
    ///
    /// # Errors
    /// [`ErrorKind::Config`].
    pub fn timeout(mut self, timeout: Duration) -> Result<Self, Error> {
        if timeout < Duration::from_millis(10) || timeout > Duration::from_secs(60) {
            return Err(ErrorKind::Config.into());
        }
        self.timeout = timeout;
        Ok(self)
    }

    /// How long the server keeps a row that nobody purges after it has expired: 1 hour to 10 years, 7 days when nothing is said.
    /// Not less than what [`Store::purge`](bartizan_sessions::Store::purge) is asked to keep.
    ///
    /// # Security
    /// It is also by how much the clocks of server and service may differ before a revoked access token is forgotten early.
    ///
    /// # Errors
    /// [`ErrorKind::Config`].
    pub fn keep(mut self, keep: Duration) -> Result<Self, Error> {
        const HOUR: u64 = 60 * 60;
        if keep < Duration::from_secs(HOUR) || keep > Duration::from_secs(10 * 366 * 24 * HOUR) {
            return Err(ErrorKind::Config.into());
        }
        self.keep = keep;
        Ok(self)
    }

    /// How many replicas must have received a write before it is answered; none when nothing is said. Fewer in time is
    /// `Unavailable`, while the write stands on the primary.
    ///
    /// # Security
    /// It narrows what a failover loses and does not close it: a replica answers before its disk has the write, and one that had
    /// not received it may be the one that takes over.
    #[must_use]
    pub const fn min_replicas(mut self, replicas: u32) -> Self {
        self.min_replicas = replicas;
        self
    }

    /// Takes a server whose log reaches its disk once a second (`appendfsync everysec`).
    ///
    /// # Security
    /// A crash of the machine loses the last second that was answered. A refresh token exchanged in it is current again, its successor
    /// is taken for a stolen one, and the session ends: closed. A logout, a revocation and an ending of everything in it are
    /// lost: what ended lives again, and a used one-time token can be used again.
    #[must_use]
    pub const fn danger_lose_last_second(mut self) -> Self {
        self.durability = Durability::EverySecond;
        self
    }

    /// Checks nothing of the server's persistence: the caller states that what the server answers, it keeps. For a service
    /// whose operator forbids `CONFIG GET` and keeps a log by other means. Role, version and eviction are checked all the same.
    ///
    /// # Security
    /// Where it is not so, a restart of the server loses whatever was not saved: as
    /// [`Config::danger_lose_last_second`], for as long as that reaches back.
    #[must_use]
    pub const fn danger_unchecked_persistence(mut self) -> Self {
        self.durability = Durability::Unchecked;
        self
    }
}
