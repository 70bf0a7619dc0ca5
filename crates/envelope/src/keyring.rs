//! Scope keys at hand: loaded, unwrapped, checked, and kept for a while.

use std::{fmt, sync::Arc, time::Duration};

use bartizan_core::{Clock, Entropy, SecretArray};
use bartizan_crypto::{Lifecycle, Provider};

use crate::{
    Change, Error, ErrorKind, KeyContext, KeyId, KeyRow, KeyStore, KeyWrapper, Scope, ScopeKey, Sealer,
    cache::Cache,
    key::{OwnedScope, key_of_payload, payload},
};

/// How long a key is kept after it was loaded, unless told otherwise.
pub const DEFAULT_TTL: Duration = Duration::from_secs(300);

/// Most keys that are kept.
pub const MAX_CACHED_KEYS: usize = 10_000;

/// Key management, key store and cache in one place.
///
/// On a hit everything is synchronous: [`Keyring::try_active`] and [`Keyring::try_key`] answer [`Attempt::NeedsKey`] on a
/// miss, and [`Keyring::load`] fetches what is needed. A key leaves the cache a fixed time after it was loaded, so a revoked
/// key opens nothing later than that.
pub struct Keyring {
    provider: Arc<dyn Provider>,
    wrapper: Arc<dyn KeyWrapper>,
    store: Arc<dyn KeyStore>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    sealer: Sealer,
    cache: Cache,
}

/// Something that was tried with the keys at hand.
#[derive(Debug)]
#[must_use = "an attempt may have to be made again"]
pub enum Attempt<T> {
    /// Done.
    Done(T),
    /// A key is not at hand: [`Keyring::load`] it and try again.
    NeedsKey(NeedsKey),
}

/// Which key is not at hand.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NeedsKey {
    scope: OwnedScope,
    id: Option<KeyId>,
}

impl NeedsKey {
    /// The key's id; nothing when it is the active key of a scope that is needed.
    #[must_use]
    pub const fn id(&self) -> Option<KeyId> {
        self.id
    }
}

impl fmt::Debug for NeedsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NeedsKey").field(&self.id).finish()
    }
}

impl Keyring {
    /// A keyring that keeps keys for [`DEFAULT_TTL`].
    ///
    /// # Errors
    /// [`ErrorKind::Entropy`] when no randomness can be had.
    pub fn new(
        provider: Arc<dyn Provider>,
        wrapper: Arc<dyn KeyWrapper>,
        store: Arc<dyn KeyStore>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Error> {
        let sealer = Sealer::new(Arc::clone(&provider), Arc::clone(&entropy))?;
        let cache = Cache::new(DEFAULT_TTL, MAX_CACHED_KEYS);
        Ok(Self { provider, wrapper, store, clock, entropy, sealer, cache })
    }

    /// The same, keeping keys for another time: at least a second, at most an hour.
    ///
    /// # Security
    /// For so long a revoked key goes on opening and sealing.
    #[must_use]
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.cache =
            Cache::new(ttl.clamp(Duration::from_secs(1), Duration::from_secs(3_600)), MAX_CACHED_KEYS);
        self
    }

    /// What seals and opens.
    #[must_use]
    pub const fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// The key that seals for a scope, if it is at hand.
    pub fn try_active(&self, scope: &Scope<'_>) -> Attempt<ScopeKey> {
        match self.cache.active(scope, self.clock.monotonic()) {
            Some(key) => Attempt::Done(key),
            None => Attempt::NeedsKey(NeedsKey { scope: (*scope).into(), id: None }),
        }
    }

    /// The key of this id that opens in a scope, if it is at hand.
    ///
    /// # Errors
    /// [`ErrorKind::KeyRevoked`] when its time has ended since it was loaded.
    pub fn try_key(&self, scope: &Scope<'_>, id: KeyId) -> Result<Attempt<ScopeKey>, Error> {
        match self.cache.key(scope, id, self.clock.monotonic()) {
            Some(key) if key.state().may_check(self.clock.wall()) => Ok(Attempt::Done(key)),
            Some(_) => Err(ErrorKind::KeyRevoked.into()),
            None => Ok(Attempt::NeedsKey(NeedsKey { scope: (*scope).into(), id: Some(id) })),
        }
    }

    /// The key that seals for a scope, loaded if need be. The first key of a scope is made here.
    ///
    /// # Errors
    /// As [`Keyring::load`].
    pub async fn active(&self, scope: &Scope<'_>) -> Result<ScopeKey, Error> {
        match self.try_active(scope) {
            Attempt::Done(key) => Ok(key),
            Attempt::NeedsKey(_) => self.load_active(scope).await,
        }
    }

    /// The key of this id that opens in a scope, loaded if need be.
    ///
    /// # Errors
    /// As [`Keyring::load`].
    pub async fn key(&self, scope: &Scope<'_>, id: KeyId) -> Result<ScopeKey, Error> {
        match self.try_key(scope, id)? {
            Attempt::Done(key) => Ok(key),
            Attempt::NeedsKey(_) => self.load_key(scope, id).await,
        }
    }

    /// Loads what an attempt needed.
    ///
    /// # Errors
    /// [`ErrorKind::KeyNotFound`] when the tenant has no such key for the purpose, [`ErrorKind::Scope`] when it is another
    /// subject's, [`ErrorKind::KeyRevoked`], [`ErrorKind::NoActiveKey`] when the scope has keys but none is active,
    /// [`ErrorKind::Integrity`] when the key's row or wrapping was tampered with, and what store and wrapper answer.
    pub async fn load(&self, needs: &NeedsKey) -> Result<(), Error> {
        let scope = needs.scope.borrowed();
        match needs.id {
            Some(id) => self.load_key(&scope, id).await.map(drop),
            None => self.load_active(&scope).await.map(drop),
        }
    }

    /// Forgets all keys at once; what is needed is loaded anew. What is being loaded meanwhile is not kept.
    pub fn purge(&self) {
        self.cache.purge();
    }

    /// Forgets the keys of one tenant at once, as [`Keyring::purge`] does.
    pub fn purge_tenant(&self, tenant: &str) {
        self.cache.purge_tenant(tenant);
    }

    async fn load_key(&self, scope: &Scope<'_>, id: KeyId) -> Result<ScopeKey, Error> {
        // The age of an entry counts from before the store was asked.
        let began = self.cache.begin(self.clock.monotonic());
        let row = self.store.get(scope.tenant(), scope.purpose(), id).await?.ok_or(ErrorKind::KeyNotFound)?;
        if row.id != id {
            return Err(ErrorKind::Integrity.into());
        }
        let key = self.opened(scope, &row).await?;
        self.cache.keep(&key, began);
        Ok(key)
    }

    async fn load_active(&self, scope: &Scope<'_>) -> Result<ScopeKey, Error> {
        for _ in 0..CREATION_ATTEMPTS {
            let began = self.cache.begin(self.clock.monotonic());
            if let Some(row) = self.store.active(scope).await? {
                if !row.state.may_make() {
                    return Err(ErrorKind::Integrity.into());
                }
                let key = self.opened(scope, &row).await?;
                self.cache.keep_active(&key, began);
                return Ok(key);
            }
            if let Change::Conflict = self.create_first(scope).await? {
                // Somebody else was faster, or the scope has had keys before: the next look tells.
                continue;
            }
        }
        Err(ErrorKind::NoActiveKey.into())
    }

    /// Makes the first key of a scope. Later versions are made by whoever rotates; after a revocation nothing comes back by
    /// itself.
    async fn create_first(&self, scope: &Scope<'_>) -> Result<Change, Error> {
        let key = SecretArray::try_filled(|place| self.entropy.fill(place))?;
        let context = KeyContext::new(*scope, 1, KeyId::draw(&*self.entropy)?);
        let wrapped = self.wrapper.wrap(&context, &payload(self.provider.hash(), &key, &context)).await?;
        let created = self.clock.wall();
        let row = KeyRow::new(context.id(), *scope, 1, Lifecycle::Active, wrapped, created)?;
        // A wrapper that cannot read back what it wrote must not be trusted with the only copy.
        if self.unwrapped(&row).await? != key {
            return Err(ErrorKind::Integrity.into());
        }
        self.store.insert_if_absent(&row).await
    }

    /// The key of a row, once the row is what was asked for.
    async fn opened(&self, scope: &Scope<'_>, row: &KeyRow) -> Result<ScopeKey, Error> {
        // SECURITY: compared before key management is asked, so that no row makes it unwrap another scope's key.
        if row.scope() != *scope {
            return Err(ErrorKind::Scope.into());
        }
        if !row.state.may_check(self.clock.wall()) {
            return Err(ErrorKind::KeyRevoked.into());
        }
        let key = self.unwrapped(row).await?;
        ScopeKey::prepare(&*self.provider, &row.context(), row.state, &key)
    }

    /// The one place where a wrapped key becomes a key.
    async fn unwrapped(&self, row: &KeyRow) -> Result<SecretArray<32>, Error> {
        let context = row.context();
        let payload = self.wrapper.unwrap(&context, &row.wrapped).await?;
        key_of_payload(self.provider.hash(), payload.expose(), &context)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("wrapper", &self.wrapper)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// Two looks find what a faster creator made; a third one is for an id that was taken.
const CREATION_ATTEMPTS: usize = 3;
