//! What the store has to know.

use std::time::Duration;

use crate::{Error, ErrorKind};

/// Where the tables are, and how long an answer may take.
#[derive(Clone, Debug)]
pub struct Config {
    schema: Box<str>,
    bound: Duration,
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

/// How long an answer may take unless said otherwise.
const BOUND: Duration = Duration::from_secs(5);

/// The longest name of a schema: Postgres cuts longer ones at 63 bytes.
const MAX_SCHEMA: usize = 63;

impl Config {
    /// Tables in the schema `bartizan`, and answers within 5 s.
    #[must_use]
    pub fn new() -> Self {
        Self { schema: "bartizan".into(), bound: BOUND, durability: Durability::Synced }
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

    /// Every call answers within this time, with [`Unavailable`](bartizan_sessions::ErrorKind::Unavailable) at the latest: waiting
    /// for a connection, for locks and for the network included.
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

    /// Takes a server whose `fsync` or `full_page_writes` is off: for tests alone.
    ///
    /// # Security
    /// When such a server or its machine dies, sessions that were ended may live again, and used refresh tokens be valid again.
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
    }
}
