//! Scope keys in memory.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bartizan_crypto::Lifecycle;

use crate::{Change, Error, KeyId, KeyRow, KeyStore, Scope, is_well_formed_step};

/// Keeps keys for the life of the process. What was sealed under them is lost with it.
#[derive(Default)]
pub struct MemoryKeyStore(Mutex<BTreeMap<KeyId, KeyRow>>);

impl MemoryKeyStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a row in another's place without any rule: for drivers that are broken on purpose.
    #[cfg(test)]
    pub(crate) fn put(&self, old: Option<&KeyRow>, new: &KeyRow) {
        let mut rows = self.rows();
        if let Some(old) = old {
            rows.remove(&old.id);
        }
        rows.insert(new.id, new.clone());
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<KeyId, KeyRow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl KeyStore for MemoryKeyStore {
    async fn get(&self, tenant: &str, purpose: &str, id: KeyId) -> Result<Option<KeyRow>, Error> {
        let rows = self.rows();
        Ok(rows.get(&id).filter(|row| *row.tenant == *tenant && *row.purpose == *purpose).cloned())
    }

    async fn active(&self, scope: &Scope<'_>) -> Result<Option<KeyRow>, Error> {
        let rows = self.rows();
        Ok(rows.values().find(|row| row.scope() == *scope && row.state == Lifecycle::Active).cloned())
    }

    async fn insert_if_absent(&self, row: &KeyRow) -> Result<Change, Error> {
        let mut rows = self.rows();
        let clashes = rows.values().any(|other| {
            let both_active = other.state == Lifecycle::Active && row.state == Lifecycle::Active;
            other.id == row.id
                || other.scope() == row.scope() && (other.version == row.version || both_active)
        });
        if clashes {
            return Ok(Change::Conflict);
        }
        rows.insert(row.id, row.clone());
        Ok(Change::Made)
    }

    async fn update(&self, changes: &[(KeyRow, KeyRow)]) -> Result<Change, Error> {
        if !is_well_formed_step(changes) {
            return Ok(Change::Conflict);
        }
        let mut rows = self.rows();
        if changes.iter().any(|(old, _)| rows.get(&old.id) != Some(old)) {
            return Ok(Change::Conflict);
        }
        let mut after = rows.clone();
        after.extend(changes.iter().map(|(_, new)| (new.id, new.clone())));
        let two_active = changes.iter().any(|(_, new)| {
            let same = |row: &&KeyRow| row.state == Lifecycle::Active && row.scope() == new.scope();
            after.values().filter(same).count() > 1
        });
        if two_active {
            return Ok(Change::Conflict);
        }
        *rows = after;
        Ok(Change::Made)
    }

    async fn list(
        &self,
        tenant: Option<&str>,
        after: Option<KeyId>,
        limit: usize,
    ) -> Result<Vec<KeyRow>, Error> {
        let rows = self.rows();
        let wanted = rows.values().filter(|row| {
            tenant.is_none_or(|tenant| *row.tenant == *tenant) && after.is_none_or(|after| row.id > after)
        });
        Ok(wanted.take(limit).cloned().collect())
    }
}

impl fmt::Debug for MemoryKeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryKeyStore").field("keys", &self.rows().len()).finish()
    }
}
