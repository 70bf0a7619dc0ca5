//! Tokens that were verified a moment ago.

mod table;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bartizan_core::{Entropy, SecretArray, UnixTime};
use bartizan_crypto::{Mac, MacAlgorithm, Provider};

use crate::{Error, ErrorKind, facts::Facts};

use table::{Entry, Hash, Table};

/// Remembers access tokens that were verified, so that the same token is not verified anew with every request. Off unless it is
/// given to a [`Verifier`](crate::Verifier::cache). Cheap to clone; all clones are the same cache.
///
/// What is saved is the signature check and the reading of the claims. Everything that can have changed is checked again whenever
/// a token is found: `exp` and `nbf` with the verifier's leeway, [`Revocations`](crate::Revocations), and that the issuer's keys are the same ones;
/// after any change of these the token is verified anew.
///
/// ```
/// use std::sync::Arc;
///
/// use bartizan_core::{Clock, os};
/// use bartizan_crypto_ring::Ring;
/// use bartizan_tokens::{Error, KeySource, TokenCache, Verifier};
///
/// fn verifier(keys: KeySource, clock: Arc<dyn Clock>) -> Result<Verifier, Error> {
///     let cache = TokenCache::new(&Ring::new(), &os::OsEntropy)?;
///     Ok(Verifier::access_tokens("https://login.example", "https://api.example", keys, clock)?.cache(&cache))
/// }
/// ```
///
/// # Security
/// - Only tokens that were found good are held, never a refusal, and for [`CacheLimits::max_ttl`] at most.
/// - A token is known by HMAC-SHA-256 of all of its text and of who verified it, under a key drawn when the cache is made, and all
///   256 bits are compared: nobody can choose two tokens that meet. The text itself is not held; its claims are.
/// - What one verifier found good says nothing to another: verifiers that share a cache share its room alone.
/// - HMAC tokens are not held: verifying one costs what finding it would, so a verifier of such tokens gains nothing.
///
/// Readers never lock.
#[derive(Clone)]
pub struct TokenCache(Arc<Shared>);

struct Shared {
    mac: Arc<dyn Mac>,
    table: Table,
    limits: CacheLimits,
    verifiers: AtomicU64,
}

/// How much a [`TokenCache`] holds, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheLimits {
    /// Most tokens: 4,096; from 8 to 1,048,576. Rounded down to a power of two.
    pub entries: usize,
    /// Most bytes of what was read from them, together: 8 MiB; up to 1 GiB.
    pub bytes: usize,
    /// Longest time that a token is held, even if it lives longer: 60 seconds; up to 10 minutes.
    pub max_ttl: Duration,
    /// Longest token that is held, in bytes: 4 KiB; up to 64 KiB.
    pub token: usize,
}

impl CacheLimits {
    /// The limits that are given for each field.
    pub const DEFAULT: Self =
        Self { entries: 4_096, bytes: 8 * 1024 * 1024, max_ttl: Duration::from_secs(60), token: 4 * 1024 };

    fn checked(self) -> Result<Self, Error> {
        let fits = (8..=1 << 20).contains(&self.entries)
            && (1..=1 << 30).contains(&self.bytes)
            && !self.max_ttl.is_zero()
            && self.max_ttl <= Duration::from_secs(600)
            && (1..=64 * 1024).contains(&self.token);
        if fits { Ok(self) } else { Err(ErrorKind::Config.into()) }
    }
}

/// What a [`TokenCache`] did since it was made, and holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Tokens that were found, and found good still.
    pub hits: u64,
    /// Tokens that were not found, or had to be verified anew.
    pub misses: u64,
    /// Tokens that had to make room for others.
    pub evictions: u64,
    /// Tokens that are held now.
    pub entries: usize,
    /// Bytes that these take.
    pub bytes: usize,
}

impl TokenCache {
    /// A cache of [`CacheLimits::DEFAULT`].
    ///
    /// # Errors
    /// [`ErrorKind::Entropy`], and [`ErrorKind::KeyUnsupported`] when the provider lacks HMAC-SHA-256.
    pub fn new(provider: &dyn Provider, entropy: &dyn Entropy) -> Result<Self, Error> {
        Self::with_limits(provider, entropy, CacheLimits::DEFAULT)
    }

    /// A cache of other limits.
    ///
    /// # Errors
    /// As [`TokenCache::new`], and [`ErrorKind::Config`] for a limit out of its range.
    pub fn with_limits(
        provider: &dyn Provider,
        entropy: &dyn Entropy,
        limits: CacheLimits,
    ) -> Result<Self, Error> {
        let limits = limits.checked()?;
        let key = SecretArray::<32>::try_filled(|key| entropy.fill(key))?;
        let mac = provider.mac(MacAlgorithm::HmacSha256, key.expose()).map_err(Error::preparing)?;
        let table = Table::new(limits.entries, limits.bytes);
        Ok(Self(Arc::new(Shared { mac, table, limits, verifiers: AtomicU64::new(0) })))
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.0.table.clear();
    }

    /// What it did and holds.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        self.0.table.stats()
    }
}

/// Shows its limits, and nothing that it holds.
impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}

/// A cache as one verifier sees it.
pub(crate) struct View {
    cache: TokenCache,
    /// Another for every verifier, and for every change of its rules.
    verifier: u64,
}

/// A token's place in the cache.
pub(crate) struct Place(Hash);

impl View {
    pub(crate) fn new(cache: &TokenCache) -> Self {
        // SECURITY: never the same number twice, so that no entry outlives the rules that it was made under.
        let verifier = cache.0.verifiers.fetch_add(1, Ordering::Relaxed);
        Self { cache: cache.clone(), verifier }
    }

    /// The same cache for a verifier of other rules, who finds nothing of what was held.
    pub(crate) fn renewed(self) -> Self {
        Self::new(&self.cache)
    }

    /// Where a token of this text is held; nothing when it is too long for that.
    pub(crate) fn place(&self, token: &str) -> Option<Place> {
        let Shared { mac, limits, .. } = &*self.cache.0;
        if token.len() > limits.token {
            return None;
        }
        // SECURITY: the whole token, its signature included: a changed one is another.
        let tag = mac.tag(&[&self.verifier.to_be_bytes(), token.as_bytes()]);
        Hash::try_from(tag.as_bytes()).ok().map(Place)
    }

    /// What is held there. Has to be checked as to time, keys and revocation.
    pub(crate) fn find(&self, place: &Place, now: UnixTime) -> Option<Arc<Facts>> {
        self.cache.0.table.find(&place.0, |entry| {
            // A clock that was set back must not lengthen a life here.
            let is_fresh = entry.since <= now && now < entry.until;
            (entry.verifier == self.verifier && is_fresh).then(|| entry.facts.clone())
        })
    }

    /// Counts a token that was found and is good still.
    pub(crate) fn hit(&self, place: &Place) {
        self.cache.0.table.hit(&place.0);
    }

    /// Counts a token that has to be verified.
    pub(crate) fn miss(&self, place: &Place) {
        self.cache.0.table.miss(&place.0);
    }

    /// Forgets what is held there.
    pub(crate) fn forget(&self, place: &Place) {
        self.cache.0.table.remove(&place.0);
    }

    /// Holds what was found good.
    pub(crate) fn hold(&self, place: &Place, facts: &Arc<Facts>, now: UnixTime) {
        // SECURITY: whoever can write a shared secret's tokens can fill the cache with them, and nothing is gained by holding them.
        if facts.key.algorithm().is_symmetric() {
            return;
        }
        let until = now.saturating_add(self.cache.0.limits.max_ttl).min(facts.times.expires);
        // Only the leeway is left of it.
        if until <= now {
            return;
        }
        self.cache.0.table.insert(Entry::new(place.0, self.verifier, facts.clone(), now, until), now);
    }
}

#[cfg(test)]
mod tests;
