//! The seam to where wrapped scope keys are kept.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::{Error, KeyId, KeyRow, Scope};

/// Keeps scope keys, wrapped. Every store holds to four rules, whatever runs at once:
///
/// 1. an id is in it once, and never again after it was used;
/// 2. a scope has one key of each version;
/// 3. a scope has at most one key that is [`Active`](bartizan_crypto::Lifecycle::Active);
/// 4. what was answered is durable.
#[async_trait]
pub trait KeyStore: Debug + Send + Sync + 'static {
    /// One key, by tenant, purpose and id. An id alone finds nothing: it stands in data that others may have written.
    ///
    /// # Errors
    /// `Unavailable` or `Throttled`; `Integrity` for a row that cannot be read.
    async fn get(&self, tenant: &str, purpose: &str, id: KeyId) -> Result<Option<KeyRow>, Error>;

    /// The active key of exactly this scope: a subject's key is not its tenant's.
    ///
    /// # Errors
    /// As [`KeyStore::get`].
    async fn active(&self, scope: &Scope<'_>) -> Result<Option<KeyRow>, Error>;

    /// Adds a key, unless that would break a rule. Of two racing creators of an active key, one is answered
    /// [`Change::Conflict`] and reads the other's.
    ///
    /// # Errors
    /// As [`KeyStore::get`].
    async fn insert_if_absent(&self, row: &KeyRow) -> Result<Change, Error>;

    /// Exchanges rows, all of them or none: each must still be as the first of its pair says, and the second must be of the
    /// same id, scope and version. So a key retires and another becomes active in one step, and a key is wrapped anew.
    ///
    /// # Errors
    /// As [`KeyStore::get`].
    async fn update(&self, rows: &[(KeyRow, KeyRow)]) -> Result<Change, Error>;

    /// Keys in the order of their ids, of one tenant or of all, at most `limit`, those after `after`.
    ///
    /// # Errors
    /// As [`KeyStore::get`].
    async fn list(
        &self,
        tenant: Option<&str>,
        after: Option<KeyId>,
        limit: usize,
    ) -> Result<Vec<KeyRow>, Error>;
}

/// Whether a step of [`KeyStore::update`] makes sense at all: each row stands in it once, and none changes its id, scope or
/// version. For stores.
#[must_use]
pub fn is_well_formed_step(rows: &[(KeyRow, KeyRow)]) -> bool {
    let mut ids: Vec<KeyId> = rows.iter().map(|(old, _)| old.id).collect();
    ids.sort_unstable();
    let once = ids.windows(2).all(|pair| !matches!(pair, [one, two] if one == two));
    once && rows.iter().all(|(old, new)| old.context() == new.context())
}

/// Whether a change was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a change may not have been made"]
pub enum Change {
    /// It was made, and is durable.
    Made,
    /// It would have broken a rule, or the rows are no longer as expected: nothing was changed.
    Conflict,
}
