//! The state of limits in the memory of one process.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasherDefault, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bartizan_core::{Clock, Entropy, Monotonic};
use siphasher::sip128::{Hash128, Hasher128, SipHasher13};

use crate::{Ask, Charge, Decision, Error, ErrorKind, LimitStore, Policy, gcra, give_back};

/// Limits of one process: at most so many keys, in a table of 64 parts with a lock each.
///
/// A key is 16 bytes of SipHash-1-3-128 under a random key, and its state 8 more. Nobody who does not know that key can find two
/// names with one hash, or many that fall into one part: the hash is secret as long as this process lives, and no answer
/// shows it. With a million keys the chance that any two collide is 2^-89.
///
/// **When it is full.** Only keys that are as new again are dropped: they are what a key that was never seen is. A key in use is
/// never dropped, so nobody gets a fresh quota by asking under a million other names. When there is no place that way,
/// new keys of a policy share one state (for each part of the table) until places come free: they are limited together, the
/// ones already in the table are not disturbed, and memory does not grow.
pub struct MemoryLimits {
    parts: Box<[Part; PARTS]>,
    hash_key: [u8; 16],
    clock: Arc<dyn Clock>,
}

/// A lock and what it guards, on cache lines of their own.
#[repr(align(128))]
struct Part(Mutex<Table>);

#[derive(Default)]
struct Table {
    states: HashMap<Name, u64, BuildHasherDefault<AsItIs>>,
    capacity: usize,
    /// No earlier than this are there enough old keys for a sweep to pay.
    sweep_at: u64,
}

/// The hash of a policy and a key.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Name {
    high: u64,
    low: u64,
}

impl MemoryLimits {
    /// Room for so many keys; 25 bytes for each place, of which up to half stay empty.
    ///
    /// # Errors
    /// [`ErrorKind::Entropy`]; [`ErrorKind::Configuration`] for more than 2^28 keys.
    pub fn new(keys: usize, clock: Arc<dyn Clock>, entropy: &dyn Entropy) -> Result<Self, Error> {
        if keys > MAX_KEYS {
            return Err(ErrorKind::Configuration.into());
        }
        let mut hash_key = [0; 16];
        entropy.fill(&mut hash_key)?;
        let each = keys.div_ceil(PARTS).max(1);
        // Hashes do not fall evenly: four standard deviations more hold all keys in all parts but once in five hundred tables.
        let capacity = each + 4 * each.isqrt();
        let parts = std::array::from_fn(|_| Part(Mutex::new(Table { capacity, ..Table::default() })));
        Ok(Self { parts: Box::new(parts), hash_key, clock })
    }

    /// Decides, and charges when it passes. Never waits for anything but the lock of a 64th of the table.
    pub fn check(&self, ask: &Ask<'_>) -> Charge {
        self.check_at(ask, self.now())
    }

    fn check_at(&self, ask: &Ask<'_>, now: u64) -> Charge {
        let (name, quota) = (self.name(ask), ask.policy().quota());
        let mut table = self.table(name);
        if let Some(state) = table.states.get_mut(&name) {
            return Charge::new(stepped(state, now, ask), now);
        }
        if ask.cost() == 0 {
            return Charge::new(gcra(0, now, quota, 0).decision, now);
        }
        if table.has_room(now) {
            return Charge::new(stepped(table.states.entry(name).or_insert(0), now, ask), now);
        }
        let shared = self.overflow(ask.policy());
        Charge::unreturnable(stepped(table.states.entry(shared).or_insert(0), now, ask))
    }

    /// Gives back what is left of a charge that this value made.
    pub fn give_back(&self, ask: &Ask<'_>, charge: &Charge) {
        let Some(charged) = charge.at_micros() else { return };
        let (name, now) = (self.name(ask), self.now());
        if let Some(state) = self.table(name).states.get_mut(&name) {
            *state = give_back(*state, now, ask.policy().quota(), ask.cost(), charged);
        }
    }

    /// Takes note of what another store decided, so that it is known here when that store is out. Answers what can be given
    /// back here when the charge is given back there.
    pub(crate) fn note(&self, ask: &Ask<'_>, theirs: &Charge) -> Charge {
        let (name, now) = (self.name(ask), self.now());
        let reset = u64::try_from(theirs.decision().reset().as_micros()).unwrap_or(u64::MAX);
        let seen = now.saturating_add(reset);
        let mut table = self.table(name);
        if let Some(state) = table.states.get_mut(&name) {
            // SECURITY: the later of both. Answers overtake each other, and an older one must not reopen the key.
            *state = seen.max(*state);
        } else if seen > now && table.has_room(now) {
            table.states.insert(name, seen);
        } else {
            return Charge::unreturnable(theirs.decision());
        }
        Charge::new(theirs.decision(), now)
    }

    /// How many keys are kept. Takes every lock, one after the other.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.lock().states.len()).sum()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn now(&self) -> u64 {
        let since = self.clock.monotonic().since(Monotonic::default());
        since.as_secs().saturating_mul(1_000_000).saturating_add(u64::from(since.subsec_micros()))
    }

    fn table(&self, name: Name) -> MutexGuard<'_, Table> {
        let [first, ..] = &*self.parts;
        let at = usize::try_from(name.high % PARTS as u64).unwrap_or_default();
        self.parts.get(at).unwrap_or(first).lock()
    }

    fn name(&self, ask: &Ask<'_>) -> Name {
        let (policy, key) = (ask.policy().id().to_le_bytes(), ask.key());
        // At once where it fits: hashed in pieces it takes three times as long.
        if let Some(fixed) = key.as_fixed() {
            let mut bytes = [0; 32];
            let (to_policy, to_key) = bytes.split_at_mut(8);
            to_policy.copy_from_slice(&policy);
            to_key.copy_from_slice(&fixed);
            return SipHasher13::new_with_key(&self.hash_key).hash(&bytes).into();
        }
        let mut hasher = SipHasher13::new_with_key(&self.hash_key);
        hasher.write(&policy);
        key.write_to(&mut |piece| hasher.write(piece));
        hasher.finish128().into()
    }

    /// Where those are counted that have no place of their own. No key begins so.
    fn overflow(&self, policy: &Policy) -> Name {
        let mut hasher = SipHasher13::new_with_key(&self.hash_key);
        hasher.write(&policy.id().to_le_bytes());
        hasher.write(b"overflow");
        hasher.finish128().into()
    }
}

fn stepped(state: &mut u64, now: u64, ask: &Ask<'_>) -> Decision {
    let step = gcra(*state, now, ask.policy().quota(), ask.cost());
    *state = step.state;
    step.decision
}

impl Table {
    /// Whether a new key has a place, after old ones were dropped if that is needed and pays.
    fn has_room(&mut self, now: u64) -> bool {
        if self.states.len() < self.capacity {
            return true;
        }
        if now < self.sweep_at {
            return false;
        }
        // SECURITY: only what is as new again. Anything else would be a fresh quota for whoever fills the table.
        self.states.retain(|_, state| *state > now);
        // A sweep looks at every key: the next is due when a sixteenth of them will be old, so that each new key pays for a few.
        let few = self.capacity / 16;
        if self.states.len() + few >= self.capacity {
            let mut ends: Vec<u64> = self.states.values().copied().collect();
            if few < ends.len() {
                self.sweep_at = *ends.select_nth_unstable(few).1;
            }
        }
        self.states.len() < self.capacity
    }
}

#[async_trait]
impl LimitStore for MemoryLimits {
    async fn charge(&self, asks: &[Ask<'_>]) -> Result<Vec<Charge>, Error> {
        Ok(asks.iter().map(|ask| self.check(ask)).collect())
    }

    async fn give_back(&self, charges: &[(Ask<'_>, Charge)]) -> Result<(), Error> {
        charges.iter().for_each(|(ask, charge)| self.give_back(ask, charge));
        Ok(())
    }
}

/// Keys and their states are not shown.
impl fmt::Debug for MemoryLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLimits").field("parts", &PARTS).finish_non_exhaustive()
    }
}

impl Part {
    fn lock(&self) -> MutexGuard<'_, Table> {
        // Nothing in a critical section panics half-way through a change of a state.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Hash128> for Name {
    fn from(hash: Hash128) -> Self {
        Self { high: hash.h1, low: hash.h2 }
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.low);
    }
}

/// A name is a hash already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // `Name` never comes here.
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

const PARTS: usize = 64;
const MAX_KEYS: usize = 1 << 28;
