//! Where a verifier's keys come from: a set that stays, or one that is swapped while it is read.

use std::{
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::{ArcSwapOption, Guard};
use bartizan_core::UnixTime;

use crate::{Error, ErrorKind, KeySet, known_header::KnownHeaders};

/// The keys of one issuer, as they are now. Cheap to clone; all clones see the same keys.
///
/// A [`KeySet`] is one that stays. A key ring and a remote JWKS give one that follows them. Readers never lock and never wait.
#[derive(Clone)]
pub struct KeySource(Arc<Shared>);

struct Shared {
    current: ArcSwapOption<Snapshot>,
    /// Told of a `kid` that is in no set. Must not block.
    unknown: Option<OnUnknown>,
    epochs: AtomicU64,
}

/// What is told of a `kid`.
type OnUnknown = Box<dyn Fn(&str) + Send + Sync>;

/// The keys at one moment.
pub(crate) struct Snapshot {
    pub(crate) keys: KeySet,
    /// Another number for every set of keys that this source ever had.
    pub(crate) epoch: u64,
    /// Headers of tokens that these keys verified.
    pub(crate) headers: KnownHeaders,
    /// From when on they are too old to be believed.
    good_until: Option<UnixTime>,
}

/// The side that swaps the keys of a [`KeySource`].
pub(crate) struct KeyPublisher(Arc<Shared>);

impl KeySource {
    /// A source without keys yet, and the side that publishes them. `unknown` is told of every `kid` that a token names and
    /// no key has; it runs where the token is verified and must not block.
    pub(crate) fn live(unknown: Option<OnUnknown>) -> (Self, KeyPublisher) {
        let shared = Arc::new(Shared { current: ArcSwapOption::empty(), unknown, epochs: AtomicU64::new(0) });
        (Self(shared.clone()), KeyPublisher(shared))
    }

    /// The keys now.
    ///
    /// # Errors
    /// [`ErrorKind::KeysUnavailable`] when there are none yet, or those that there are have become too old: an outage, and no
    /// refusal.
    pub(crate) fn load(&self, now: UnixTime) -> Result<Loaded, Error> {
        let guard = self.0.current.load();
        match &*guard {
            Some(snapshot) if snapshot.good_until.is_none_or(|until| now < until) => Ok(Loaded(guard)),
            _ => Err(ErrorKind::KeysUnavailable.into()),
        }
    }

    /// Says that a token named a key that is not there.
    pub(crate) fn unknown(&self, kid: &str) {
        if let Some(unknown) = &self.0.unknown {
            unknown(kid);
        }
    }
}

impl From<KeySet> for KeySource {
    fn from(keys: KeySet) -> Self {
        let (source, publisher) = Self::live(None);
        publisher.publish(keys, None);
        source
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0.current.load() {
            Some(snapshot) => f.debug_tuple("KeySource").field(&snapshot.keys).finish(),
            None => f.write_str("KeySource(no keys)"),
        }
    }
}

/// Keys that stay what they are while they are held.
pub(crate) struct Loaded(Guard<Option<Arc<Snapshot>>>);

impl Loaded {
    /// INVARIANT(loaded): made of a snapshot only, so there is one.
    pub(crate) fn snapshot(&self) -> Result<&Snapshot, Error> {
        self.0.as_deref().ok_or_else(|| ErrorKind::KeysUnavailable.into())
    }
}

impl KeyPublisher {
    /// From now on these keys, until then at most.
    pub(crate) fn publish(&self, keys: KeySet, good_until: Option<UnixTime>) {
        let epoch = self.0.epochs.fetch_add(1, Ordering::Relaxed);
        self.0.current.store(Some(Arc::new(Snapshot {
            keys,
            epoch,
            headers: KnownHeaders::default(),
            good_until,
        })));
    }

    /// The same keys under the same number, for longer or shorter. Says whether there are keys.
    pub(crate) fn extend(&self, good_until: Option<UnixTime>) -> bool {
        let Some(now) = &*self.0.current.load() else { return false };
        let headers = KnownHeaders::default();
        let snapshot = Snapshot { keys: now.keys.clone(), epoch: now.epoch, headers, good_until };
        self.0.current.store(Some(Arc::new(snapshot)));
        true
    }

    /// From now on no keys at all: an outage.
    pub(crate) fn withdraw(&self) {
        self.0.current.store(None);
    }

    /// A publisher that does not keep its source alive.
    pub(crate) fn downgrade(self) -> WeakPublisher {
        WeakPublisher(Arc::downgrade(&self.0))
    }
}

/// A [`KeyPublisher`] that lets go of a source that nobody reads any more.
pub(crate) struct WeakPublisher(Weak<Shared>);

impl WeakPublisher {
    /// The publisher, as long as somebody holds the source.
    pub(crate) fn upgrade(&self) -> Option<KeyPublisher> {
        self.0.upgrade().map(KeyPublisher)
    }
}
