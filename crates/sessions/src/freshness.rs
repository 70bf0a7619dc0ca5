//! How old an answer may be.

use std::time::Duration;

/// How old what a route knows of ended sessions and revoked tokens may be. Each route says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Freshness {
    /// At most this old: answered from this process's copy, mostly without the store. What ended elsewhere since is believed for as
    /// long.
    Snapshot(Duration),
    /// As of now: the store is asked for every request. For logout, passwords and administration (ASVS 7.4.1).
    #[default]
    ReadThrough,
}
