//! A service with sessions: a store that can be stopped, a clock that is moved by hand, a provider that counts.

use std::{
    future::{Future, pending, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use bartizan_core::{Entropy, SecretArray, SecretBytes, UnixTime};
use bartizan_crypto::{
    Ability, Aead, Error as CryptoError, Hash, Kdf, Mac, MacAlgorithm, PrivateKey, Provider, PublicKey,
    SignatureAlgorithm, SignatureVerifier, Signer,
};
use bartizan_crypto_ring::Ring;
use bartizan_sessions::{
    ApiKeyStore, Asked, Begin, Begun, By, Digest, End, Ended, Entry, Epochs, Error, ErrorKind, Feed, KeyId,
    KeyReplacement, Login, MemoryStore, NewOnce, Note, OnceStore, Outbox, Policy, Position,
    RevocationSnapshot, RevocationStore, Rotate, Rotation, Session, SessionKey, SessionStore, Sessions,
    Store, StoredKey, StoredSession, Taken,
};
use bartizan_testkit::{ManualClock, SeededEntropy};

pub(crate) const ISSUER: &str = "https://auth.example";
pub(crate) const API: &str = "https://api.example";
pub(crate) const START: UnixTime = UnixTime::from_secs(1_700_000_000);

pub(crate) struct World {
    pub(crate) store: Arc<Gate>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) provider: Arc<Counting>,
    pub(crate) snapshot: RevocationSnapshot,
    /// Reads and writes through the store alone.
    pub(crate) sessions: Sessions,
    /// Another node, which keeps copies.
    pub(crate) node: Sessions,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Policy::guide())
    }

    pub(crate) fn with(policy: Policy) -> Self {
        let store = Arc::new(Gate {
            sound: MemoryStore::new(),
            mode: AtomicU8::new(OPEN),
            calls: AtomicU64::new(0),
            left: AtomicU64::new(u64::MAX),
            is_late: AtomicBool::new(false),
        });
        let clock = Arc::new(ManualClock::at(START));
        let provider = Arc::new(Counting { ring: Ring::new(), hashes: AtomicU64::new(0) });
        let entropy = Arc::new(SeededEntropy::new(7));
        let snapshot = RevocationSnapshot::new(ISSUER, &*entropy, clock.clone()).unwrap();
        let sessions =
            Sessions::new(ISSUER, store.clone(), provider.clone(), entropy, clock.clone(), policy).unwrap();
        let node = sessions.keeping(&snapshot, 1_000);
        Self { store, clock, provider, snapshot, sessions, node }
    }

    pub(crate) fn refresh_node(&self) {
        run(self.snapshot.refresh(&*self.store)).unwrap();
    }

    pub(crate) fn pass(&self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
    }

    /// What is in the outbox, in words.
    pub(crate) fn happened(&self) -> Vec<&'static str> {
        run(self.store.sound.pending(10_000)).unwrap().iter().map(|entry| entry.happening.as_str()).collect()
    }
}

pub(crate) fn ada() -> Login<'static> {
    Login::new("north", "ada").roles(["doctor"]).teams(["ward 3"]).amr(["pwd"]).acr("one").client("web")
}

pub(crate) const fn by() -> By<'static> {
    By::owner()
}

/// Runs a future that does not wait.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// Starts a future, lets time pass, and answers what it says then.
pub(crate) fn run_after<F: Future>(future: F, clock: &ManualClock, pass: Duration) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut cx).is_pending(), "it does not wait");
    clock.advance(pass.saturating_sub(Duration::from_millis(1)));
    assert!(future.as_mut().poll(&mut cx).is_pending(), "it does not wait long enough");
    clock.advance(Duration::from_millis(1));
    match future.as_mut().poll(&mut cx) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits for longer than it may"),
    }
}

pub(crate) fn kind<T: std::fmt::Debug>(answer: Result<T, Error>) -> ErrorKind {
    answer.unwrap_err().kind()
}

const OPEN: u8 = 0;
const DOWN: u8 = 1;
const STUCK: u8 = 2;

/// A store in memory behind a gate: it answers, is down, or never answers. It counts what it is asked.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) sound: MemoryStore,
    mode: AtomicU8,
    calls: AtomicU64,
    left: AtomicU64,
    is_late: AtomicBool,
}

impl Gate {
    pub(crate) fn open(&self) {
        self.left.store(u64::MAX, Ordering::SeqCst);
        self.mode.store(OPEN, Ordering::SeqCst);
    }

    pub(crate) fn take_down(&self) {
        self.mode.store(DOWN, Ordering::SeqCst);
    }

    pub(crate) fn stop(&self) {
        self.mode.store(STUCK, Ordering::SeqCst);
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// Answers so many calls more, and then never again.
    pub(crate) fn stop_after(&self, calls: u64) {
        self.left.store(calls, Ordering::SeqCst);
    }

    /// What `find` has read arrives late, or no longer so.
    pub(crate) fn delay(&self, is_late: bool) {
        self.is_late.store(is_late, Ordering::SeqCst);
    }

    async fn pass(&self) -> Result<&MemoryStore, Error> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.stop();
        }
        match self.mode.load(Ordering::SeqCst) {
            OPEN => Ok(&self.sound),
            DOWN => Err(ErrorKind::Unavailable.into()),
            _ => pending().await,
        }
    }
}

#[async_trait]
impl SessionStore for Gate {
    async fn begin(&self, begin: &Begin) -> Result<Begun, Error> {
        self.pass().await?.begin(begin).await
    }
    async fn rotate(&self, ask: &Rotate) -> Result<Rotation, Error> {
        self.pass().await?.rotate(ask).await
    }
    async fn find(&self, selector: &Digest) -> Result<Option<StoredSession>, Error> {
        let found = self.pass().await?.find(selector).await;
        poll_fn(|_| if self.is_late.load(Ordering::SeqCst) { Poll::Pending } else { Poll::Ready(()) }).await;
        found
    }
    async fn confirm(&self, key: SessionKey, generation: u64) -> Result<(), Error> {
        self.pass().await?.confirm(key, generation).await
    }
    async fn seen(&self, key: SessionKey, now: UnixTime, idle: UnixTime) -> Result<(), Error> {
        self.pass().await?.seen(key, now, idle).await
    }
    async fn list(&self, tenant: &str, subject: &str, now: UnixTime) -> Result<Vec<Session>, Error> {
        self.pass().await?.list(tenant, subject, now).await
    }
    async fn end(
        &self,
        end: End<'_>,
        why: Ended,
        now: UnixTime,
        until: UnixTime,
        note: &Note,
    ) -> Result<u64, Error> {
        self.pass().await?.end(end, why, now, until, note).await
    }
}

#[async_trait]
impl RevocationStore for Gate {
    async fn revoke_token(
        &self,
        jti: &str,
        tenant: &str,
        subject: &str,
        now: UnixTime,
        until: UnixTime,
        note: &Note,
    ) -> Result<(), Error> {
        self.pass().await?.revoke_token(jti, tenant, subject, now, until, note).await
    }
    async fn is_revoked(&self, asked: &Asked<'_>) -> Result<bool, Error> {
        self.pass().await?.is_revoked(asked).await
    }
    async fn revocations(&self, after: Position, limit: usize) -> Result<Feed, Error> {
        self.pass().await?.revocations(after, limit).await
    }
    async fn epochs(&self, tenant: &str, subject: &str) -> Result<Epochs, Error> {
        self.pass().await?.epochs(tenant, subject).await
    }
}

#[async_trait]
impl Outbox for Gate {
    async fn pending(&self, limit: usize) -> Result<Vec<Entry>, Error> {
        self.pass().await?.pending(limit).await
    }
    async fn delivered(&self, numbers: &[u64]) -> Result<(), Error> {
        self.pass().await?.delivered(numbers).await
    }
}

#[async_trait]
impl ApiKeyStore for Gate {
    async fn add_key(&self, key: &StoredKey, most: u32, note: &Note) -> Result<(), Error> {
        self.pass().await?.add_key(key, most, note).await
    }
    async fn find_key(&self, selector: &Digest) -> Result<Option<StoredKey>, Error> {
        self.pass().await?.find_key(selector).await
    }
    async fn keys(&self, tenant: &str, subject: &str) -> Result<Vec<StoredKey>, Error> {
        self.pass().await?.keys(tenant, subject).await
    }
    async fn replace_key(
        &self,
        replacement: &KeyReplacement,
        now: UnixTime,
        note: &Note,
    ) -> Result<bool, Error> {
        self.pass().await?.replace_key(replacement, now, note).await
    }
    async fn end_key(
        &self,
        tenant: &str,
        subject: &str,
        id: KeyId,
        now: UnixTime,
        note: &Note,
    ) -> Result<bool, Error> {
        self.pass().await?.end_key(tenant, subject, id, now, note).await
    }
    async fn key_used(&self, id: KeyId, at: UnixTime) -> Result<(), Error> {
        self.pass().await?.key_used(id, at).await
    }
}

#[async_trait]
impl OnceStore for Gate {
    async fn put_once(&self, new: &NewOnce<'_>) -> Result<(), Error> {
        self.pass().await?.put_once(new).await
    }
    async fn take_once(
        &self,
        digest: &Digest,
        purpose: &str,
        now: UnixTime,
        note: &Note,
    ) -> Result<Option<Taken>, Error> {
        self.pass().await?.take_once(digest, purpose, now, note).await
    }
    async fn advance(&self, tenant: &str, subject: &str, counter: &str, to: u64) -> Result<bool, Error> {
        self.pass().await?.advance(tenant, subject, counter, to).await
    }
}

#[async_trait]
impl Store for Gate {
    async fn purge(&self, now: UnixTime, keep: Duration) -> Result<u64, Error> {
        self.pass().await?.purge(now, keep).await
    }
    async fn health(&self) -> Result<(), Error> {
        self.pass().await?.health().await
    }
}

/// ring, counting how many bytes of how many hashes it computes.
#[derive(Debug)]
pub(crate) struct Counting {
    ring: Ring,
    hashes: AtomicU64,
}

impl Counting {
    pub(crate) fn hashes(&self) -> u64 {
        self.hashes.load(Ordering::SeqCst)
    }
}

impl Hash for Counting {
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        // One for the call, and its blocks of 64 bytes.
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        self.hashes.fetch_add(1_000 + (bytes as u64).div_ceil(64), Ordering::SeqCst);
        self.ring.hash().sha256(parts)
    }
    fn sha384(&self, parts: &[&[u8]]) -> [u8; 48] {
        self.ring.hash().sha384(parts)
    }
    fn sha512(&self, parts: &[&[u8]]) -> [u8; 64] {
        self.ring.hash().sha512(parts)
    }
}

impl Provider for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }
    fn can(&self, ability: Ability) -> bool {
        self.ring.can(ability)
    }
    fn hash(&self) -> &dyn Hash {
        self
    }
    fn mac(&self, algorithm: MacAlgorithm, key: &[u8]) -> Result<Arc<dyn Mac>, CryptoError> {
        self.ring.mac(algorithm, key)
    }
    fn kdf(&self, key: &SecretArray<32>) -> Result<Arc<dyn Kdf>, CryptoError> {
        self.hashes.fetch_add(1_000_000, Ordering::SeqCst);
        self.ring.kdf(key)
    }
    fn with_aead(
        &self,
        key: &[u8; 32],
        work: &mut dyn FnMut(&dyn Aead) -> Result<(), CryptoError>,
    ) -> Result<(), CryptoError> {
        self.ring.with_aead(key, work)
    }
    fn signer(&self, key: &PrivateKey) -> Result<Arc<dyn Signer>, CryptoError> {
        self.ring.signer(key)
    }
    fn verifier(&self, key: &PublicKey) -> Result<Arc<dyn SignatureVerifier>, CryptoError> {
        self.ring.verifier(key)
    }
    fn private_key(
        &self,
        algorithm: SignatureAlgorithm,
        secret: SecretBytes,
    ) -> Result<PrivateKey, CryptoError> {
        self.ring.private_key(algorithm, secret)
    }
    fn generate(
        &self,
        algorithm: SignatureAlgorithm,
        entropy: &dyn Entropy,
    ) -> Result<PrivateKey, CryptoError> {
        self.ring.generate(algorithm, entropy)
    }
}
