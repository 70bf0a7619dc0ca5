//! What the store has to know.

use std::time::Duration;

use crate::{Error, ErrorKind};

/// Where the tables are, and how long an answer may take.
#[derive(Clone, Debug)]
pub struct Config {
    schema: Box<str>,
    bound: Duration,
    load_bound: Duration,
    poll: Duration,
    hearing: Hearing,
    durability: Durability,
}

/// What is demanded of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// What it answers survives a power failure.
    Synced,
    /// Nothing.
    Whatever,
}

/// How it is learned that something changed, beside asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hearing {
    /// By `LISTEN`, on a connection of its own.
    Listens,
    /// Not at all.
    Asks,
}

/// How long an answer may take unless said otherwise.
const BOUND: Duration = Duration::from_secs(5);

/// How long loading everything may take unless said otherwise.
const LOAD_BOUND: Duration = Duration::from_secs(60);

/// How often it is asked whether something changed unless said otherwise.
const POLL: Duration = Duration::from_secs(1);

/// The longest name of a schema: Postgres cuts longer ones at 63 bytes.
const MAX_SCHEMA: usize = 63;

impl Config {
    /// Tables in the schema `bartizan`, whose names begin with `policy_`; answers within 5 s, all of it within 60 s; changes
    /// are heard of at once, and asked for every second.
    #[must_use]
    pub fn new() -> Self {
        Self {
            schema: "bartizan".into(),
            bound: BOUND,
            load_bound: LOAD_BOUND,
            poll: POLL,
            hearing: Hearing::Listens,
            durability: Durability::Synced,
        }
    }

    /// Tables in this schema.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for anything but 1 to 63 small letters, digits and `_` that do not begin with a digit.
    pub fn in_schema(mut self, schema: &str) -> Result<Self, Error> {
        // SECURITY: the only text from outside that becomes part of a statement.
        let is_name = schema.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        let begins_well = schema.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
        if !is_name || !begins_well || schema.len() > MAX_SCHEMA {
            return Err(ErrorKind::Config.into());
        }
        self.schema = schema.into();
        Ok(self)
    }

    /// Every call but loading, and waiting for changes, answers within this time, with
    /// [`Unavailable`](bartizan_rbac::SourceErrorKind::Unavailable) at the latest: waiting for a connection, for locks and for the
    /// network included.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for less than 10 ms or more than 60 s.
    pub fn within(mut self, bound: Duration) -> Result<Self, Error> {
        if bound < Duration::from_millis(10) || bound > Duration::from_secs(60) {
            return Err(ErrorKind::Config.into());
        }
        self.bound = bound;
        Ok(self)
    }

    /// Loading everything answers within this time: about a second for each 100,000 assignments is plenty.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for less than 10 ms or more than 10 minutes.
    pub fn load_within(mut self, bound: Duration) -> Result<Self, Error> {
        if bound < Duration::from_millis(10) || bound > Duration::from_secs(600) {
            return Err(ErrorKind::Config.into());
        }
        self.load_bound = bound;
        Ok(self)
    }

    /// How often it is asked whether something changed, and so how late a change is known at the latest while the server
    /// answers. One row is read each time.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for less than 10 ms or more than 20 s.
    pub fn poll_every(mut self, interval: Duration) -> Result<Self, Error> {
        if interval < Duration::from_millis(10) || interval > Duration::from_secs(20) {
            return Err(ErrorKind::Config.into());
        }
        self.poll = interval;
        Ok(self)
    }

    /// Only asks, and opens no connection of its own to listen on: for a pooler that changes connections between transactions,
    /// and where connections are few.
    #[must_use]
    pub const fn without_listening(mut self) -> Self {
        self.hearing = Hearing::Asks;
        self
    }

    /// Takes a server whose `fsync` or `full_page_writes` is off: for tests alone.
    ///
    /// # Security
    /// When such a server or its machine dies, roles that were taken away may be held again.
    #[must_use]
    pub const fn danger_without_fsync(mut self) -> Self {
        self.durability = Durability::Whatever;
        self
    }

    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    pub(crate) const fn bound(&self) -> Duration {
        self.bound
    }

    pub(crate) const fn load_bound(&self) -> Duration {
        self.load_bound
    }

    pub(crate) const fn poll(&self) -> Duration {
        self.poll
    }

    pub(crate) const fn hearing(&self) -> Hearing {
        self.hearing
    }

    pub(crate) const fn durability(&self) -> Durability {
        self.durability
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_a_plain_name() {
        let longest = "s".repeat(MAX_SCHEMA);
        for good in ["bartizan", "_1", longest.as_str()] {
            assert_eq!(Config::new().in_schema(good).unwrap().schema(), good);
        }
        let too_long = "s".repeat(MAX_SCHEMA + 1);
        for bad in ["", "1a", "A", "a-b", "a\"b", "a;b", "a b", "ä", "a\0", too_long.as_str()] {
            let error = Config::new().in_schema(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{bad:?}");
        }
    }

    #[test]
    fn a_bound_is_neither_nothing_nor_for_ever() {
        assert!(Config::new().within(Duration::from_millis(10)).is_ok());
        assert!(Config::new().within(Duration::from_secs(60)).is_ok());
        assert!(Config::new().within(Duration::from_millis(9)).is_err());
        assert!(Config::new().within(Duration::from_millis(60_001)).is_err());
        assert!(Config::new().load_within(Duration::from_secs(600)).is_ok());
        assert!(Config::new().load_within(Duration::from_millis(9)).is_err());
        assert!(Config::new().load_within(Duration::from_millis(600_001)).is_err());
        assert!(Config::new().poll_every(Duration::from_millis(10)).is_ok());
        assert!(Config::new().poll_every(Duration::from_millis(9)).is_err());
        assert!(Config::new().poll_every(Duration::from_millis(20_001)).is_err());
    }
}
