//! Prepared scope keys, for a while.

use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bartizan_core::Monotonic;

use crate::{KeyId, Scope, ScopeKey};

/// Partitioned by tenant: nothing of one tenant is found while looking for another's.
///
/// An entry's age counts from when it was loaded, never from when it was used, so that a revoked key leaves in time
/// however busy it is.
pub(crate) struct Cache {
    ttl: Duration,
    most: usize,
    /// How often it was purged. It changes under the lock of `tenants` only.
    purges: AtomicU64,
    tenants: RwLock<HashMap<Box<str>, Partition>>,
}

/// When a load began: before the store was asked.
#[derive(Clone, Copy)]
pub(crate) struct Began {
    at: Monotonic,
    purges: u64,
}

#[derive(Default)]
struct Partition {
    keys: HashMap<KeyId, Entry>,
    /// By purpose, then by subject; the empty subject is the tenant itself, since no scope has an empty one.
    active: HashMap<Box<str>, HashMap<Box<str>, Entry>>,
}

struct Entry {
    key: ScopeKey,
    loaded: Monotonic,
}

impl Cache {
    pub(crate) fn new(ttl: Duration, most: usize) -> Self {
        Self { ttl, most, purges: AtomicU64::new(0), tenants: RwLock::default() }
    }

    /// A load begins now.
    pub(crate) fn begin(&self, now: Monotonic) -> Began {
        Began { at: now, purges: self.purges.load(Ordering::Acquire) }
    }

    /// A key by id, if it is one of exactly this scope.
    pub(crate) fn key(&self, scope: &Scope<'_>, id: KeyId, now: Monotonic) -> Option<ScopeKey> {
        let tenants = self.read();
        let entry = tenants.get(scope.tenant())?.keys.get(&id)?;
        self.fresh(entry, now).filter(|key| key.scope() == *scope)
    }

    /// The key that seals for this scope.
    pub(crate) fn active(&self, scope: &Scope<'_>, now: Monotonic) -> Option<ScopeKey> {
        let tenants = self.read();
        let of_purpose = tenants.get(scope.tenant())?.active.get(scope.purpose())?;
        let entry = of_purpose.get(scope.subject().unwrap_or_default())?;
        self.fresh(entry, now)
    }

    /// Keeps a key that was loaded by its id.
    pub(crate) fn keep(&self, key: &ScopeKey, began: Began) {
        self.insert(&mut self.write(), key, began);
    }

    /// Keeps the key that seals for its scope.
    pub(crate) fn keep_active(&self, key: &ScopeKey, began: Began) {
        let (mut tenants, scope) = (self.write(), key.scope());
        let Some(partition) = self.insert(&mut tenants, key, began) else {
            return;
        };
        let of_purpose = partition.active.entry(scope.purpose().into()).or_default();
        of_purpose
            .insert(scope.subject().unwrap_or_default().into(), Entry { key: key.clone(), loaded: began.at });
    }

    pub(crate) fn purge(&self) {
        let mut tenants = self.write();
        self.purges.fetch_add(1, Ordering::Release);
        tenants.clear();
    }

    /// Loads of other tenants that are under way are not kept either: they are made again, which is slow and never wrong.
    pub(crate) fn purge_tenant(&self, tenant: &str) {
        let mut tenants = self.write();
        self.purges.fetch_add(1, Ordering::Release);
        tenants.remove(tenant);
    }

    fn insert<'t>(
        &self,
        tenants: &'t mut HashMap<Box<str>, Partition>,
        key: &ScopeKey,
        began: Began,
    ) -> Option<&'t mut Partition> {
        // SECURITY: a load that read the store before a revocation and ends after its purge would bring the key back.
        if began.purges != self.purges.load(Ordering::Acquire) {
            return None;
        }
        self.make_room(tenants, began.at);
        let partition = tenants.entry(key.scope().tenant().into()).or_default();
        partition.keys.insert(key.id(), Entry { key: key.clone(), loaded: began.at });
        Some(partition)
    }

    fn fresh(&self, entry: &Entry, now: Monotonic) -> Option<ScopeKey> {
        (now.since(entry.loaded) < self.ttl).then(|| entry.key.clone())
    }

    /// Drops what is too old; when that is not enough, everything. Loading again is slow, never wrong.
    fn make_room(&self, tenants: &mut HashMap<Box<str>, Partition>, now: Monotonic) {
        let keys = |tenants: &HashMap<Box<str>, Partition>| -> usize {
            tenants.values().map(|partition| partition.keys.len()).sum()
        };
        if keys(tenants) < self.most {
            return;
        }
        for partition in tenants.values_mut() {
            partition.keys.retain(|_, entry| now.since(entry.loaded) < self.ttl);
            for of_purpose in partition.active.values_mut() {
                of_purpose.retain(|_, entry| now.since(entry.loaded) < self.ttl);
            }
            partition.active.retain(|_, of_purpose| !of_purpose.is_empty());
        }
        tenants.retain(|_, partition| !partition.keys.is_empty());
        if keys(tenants) >= self.most {
            tenants.clear();
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<Box<str>, Partition>> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Box<str>, Partition>> {
        self.tenants.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use bartizan_core::SecretArray;
    use bartizan_crypto::Lifecycle;
    use bartizan_crypto_ring::Ring;

    use super::*;
    use crate::KeyContext;

    fn key(tenant: &str, id: u8) -> ScopeKey {
        let scope = Scope::new(tenant, "fields").unwrap();
        let context = KeyContext::new(scope, 1, KeyId::from_bytes([id; 8]));
        ScopeKey::prepare(&Ring::new(), &context, Lifecycle::Active, &SecretArray::new([id; 32])).unwrap()
    }

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_zero(Duration::from_secs(seconds))
    }

    #[test]
    fn a_full_cache_drops_what_is_too_old_first_and_then_everything() {
        let cache = Cache::new(Duration::from_secs(10), 3);
        let keys: Vec<ScopeKey> =
            (1..=5).map(|id| key(if id % 2 == 0 { "south" } else { "north" }, id)).collect();
        let held = |now: u64| -> Vec<bool> {
            keys.iter().map(|key| cache.key(&key.scope(), key.id(), at(now)).is_some()).collect()
        };
        cache.keep(&keys[0], cache.begin(at(0)));
        cache.keep_active(&keys[1], cache.begin(at(5)));
        cache.keep(&keys[2], cache.begin(at(6)));
        assert_eq!(held(9), [true, true, true, false, false]);
        cache.keep(&keys[3], cache.begin(at(12)));
        assert_eq!(held(12), [false, true, true, true, false], "the first one was too old");
        cache.keep(&keys[4], cache.begin(at(13)));
        assert_eq!(held(13), [false, false, false, false, true], "nothing was too old");
        assert!(cache.active(&keys[1].scope(), at(13)).is_none());
    }

    #[test]
    fn a_clock_that_goes_back_makes_nothing_older() {
        let cache = Cache::new(Duration::from_secs(10), 3);
        let key = key("north", 1);
        cache.keep(&key, cache.begin(at(5)));
        assert!(cache.key(&key.scope(), key.id(), at(0)).is_some());
        assert!(cache.key(&key.scope(), key.id(), at(15)).is_none());
    }
}
