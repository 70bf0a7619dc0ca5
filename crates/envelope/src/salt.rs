//! Salts that repeat for an identical write only, even when the source of randomness repeats.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
};

use bartizan_core::Entropy;
use bartizan_crypto::{Mac, MacAlgorithm, Provider};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    Error, ErrorKind, KeyId,
    cell::{SALT, SUITE},
    context::Place,
    pae::le64,
};

/// Draws hedged salts: random bytes, mixed with everything that is written under a key of this process.
///
/// After a fork, or in two copies of one machine snapshot, both sides may draw the same random bytes. The salt still
/// differs unless both write the very same thing to the very same place: then both make the same cells, which reveals
/// only that.
pub(crate) struct Salts {
    mac: Arc<dyn Mac>,
    entropy: Arc<dyn Entropy>,
    pools: [Mutex<Pool>; POOLS],
}

/// Random bytes ahead of their use. Each is wiped as it is taken.
struct Pool {
    bytes: Zeroizing<Box<[u8]>>,
    used: usize,
}

const POOLS: usize = 8;
const POOL: usize = 4_096;

impl Salts {
    /// Draws the process key.
    pub(crate) fn new(provider: &dyn Provider, entropy: Arc<dyn Entropy>) -> Result<Self, Error> {
        let mut key = Zeroizing::new([0; 32]);
        entropy.fill(key.as_mut_slice())?;
        let mac = provider.mac(MacAlgorithm::HmacSha256, key.as_slice())?;
        Ok(Self { mac, entropy, pools: std::array::from_fn(|_| Mutex::new(Pool::empty())) })
    }

    /// `HMAC(process key, PAE(24 random bytes, key id, label ‖ suite ‖ PAE(place), written, beside))[..24]`.
    ///
    /// `written` is a hash of what is written, and `beside` of what is signed along with it.
    pub(crate) fn draw<P: Place>(
        &self,
        key: KeyId,
        place: &P,
        written: &[u8; 32],
        beside: &[u8; 32],
    ) -> Result<[u8; SALT], Error> {
        let random = self.random()?;
        let tag = place.with_pae(&[P::LABEL, &[SUITE]], |info| {
            let info_len = le64(info.iter().map(|part| part.len()).sum());
            let (count, len24, len8, len32) = (le64(5), le64(24), le64(8), le64(32));
            let head: [&[u8]; 6] = [&count, &len24, random.as_slice(), &len8, key.as_bytes(), &info_len];
            let tail: [&[u8]; 4] = [&len32, written, &len32, beside];
            let mut parts: [&[u8]; MOST_PARTS] = [&[]; MOST_PARTS];
            let all = head.into_iter().chain(info.iter().copied()).chain(tail);
            for (to, from) in parts.iter_mut().zip(all) {
                *to = from;
            }
            // INVARIANT(salt-parts): places have at most 6 pieces, so 10 + 3 + 18 parts fit; what is unused is empty.
            (head.len() + info.len() + tail.len() <= MOST_PARTS).then(|| self.mac.tag(&parts))
        });
        let tag = tag.ok_or(ErrorKind::Primitive)?;
        tag.as_bytes().first_chunk().copied().ok_or_else(|| ErrorKind::Primitive.into())
    }

    /// 24 random bytes from the first pool that nobody else is at.
    fn random(&self) -> Result<Zeroizing<[u8; SALT]>, Error> {
        self.pool().take(&*self.entropy)
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        let [first, ..] = &self.pools;
        let free = self.pools.iter().find_map(|pool| match pool.try_lock() {
            Ok(pool) => Some(pool),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        });
        free.unwrap_or_else(|| first.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Salts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salts")
    }
}

impl Pool {
    fn empty() -> Self {
        Self { bytes: Zeroizing::new(vec![0; POOL].into_boxed_slice()), used: POOL }
    }

    fn take(&mut self, entropy: &dyn Entropy) -> Result<Zeroizing<[u8; SALT]>, Error> {
        if self.used + SALT > POOL {
            // Until `fill` has delivered, nothing in the buffer counts as unused.
            entropy.fill(&mut self.bytes)?;
            self.used = 0;
        }
        let mut taken = Zeroizing::new([0; SALT]);
        let place = self.bytes.get_mut(self.used..self.used + SALT).ok_or(ErrorKind::Primitive)?;
        taken.copy_from_slice(place);
        place.zeroize();
        self.used += SALT;
        Ok(taken)
    }
}

const MOST_PARTS: usize = 40;

#[cfg(test)]
mod tests {
    use bartizan_crypto_ring::Ring;
    use bartizan_testkit::{BrokenEntropy, RepeatingEntropy, SeededEntropy};

    use super::*;
    use crate::{Context, Value};

    const ID: KeyId = KeyId::from_bytes([7; 8]);

    fn salts(entropy: impl Entropy) -> Salts {
        Salts::new(&Ring::new(), Arc::new(entropy)).unwrap()
    }

    fn place(row: &str) -> Context<'_> {
        Context::new("north", "patients", Value::Text(row)).unwrap()
    }

    #[test]
    fn with_repeating_randomness_each_input_alone_changes_the_salt() {
        let salts = salts(RepeatingEntropy::of([5]));
        let draws = |id: KeyId, row: &str, written: u8, beside: u8| -> Vec<[u8; 24]> {
            (0..4).map(|_| salts.draw(id, &place(row), &[written; 32], &[beside; 32]).unwrap()).collect()
        };
        let base = draws(ID, "p-1", 1, 1);
        assert!(base.iter().all(|salt| *salt == base[0]), "identical writes under repeating randomness");
        for other in [
            draws(KeyId::from_bytes([8; 8]), "p-1", 1, 1),
            draws(ID, "p-2", 1, 1),
            draws(ID, "p-1", 2, 1),
            draws(ID, "p-1", 1, 2),
        ] {
            assert!(other.iter().all(|salt| *salt != base[0]));
        }
    }

    #[test]
    fn draws_of_one_input_differ_across_many_refills() {
        let salts = salts(SeededEntropy::new(1));
        let mut seen = std::collections::HashSet::new();
        for _ in 0..2_000 {
            assert!(seen.insert(salts.draw(ID, &place("p-1"), &[0; 32], &[0; 32]).unwrap()));
        }
    }

    #[test]
    fn taken_bytes_are_wiped_in_the_pool() {
        let mut pool = Pool::empty();
        let taken = pool.take(&RepeatingEntropy::of([0xEE])).unwrap();
        assert_eq!(*taken, [0xEE; 24]);
        assert!(pool.bytes[..24].iter().all(|byte| *byte == 0) && pool.bytes[24] == 0xEE);
    }

    #[test]
    fn without_randomness_there_is_no_salt() {
        assert_eq!(Salts::new(&Ring::new(), Arc::new(BrokenEntropy)).unwrap_err().kind(), ErrorKind::Entropy);
        let mut pool = Pool::empty();
        assert_eq!(pool.take(&BrokenEntropy).unwrap_err().kind(), ErrorKind::Entropy);
        assert_eq!(pool.take(&BrokenEntropy).unwrap_err().kind(), ErrorKind::Entropy);
    }

    #[test]
    fn threads_draw_no_salt_twice() {
        let salts = Arc::new(salts(SeededEntropy::new(2)));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let salts = Arc::clone(&salts);
                std::thread::spawn(move || {
                    (0..500)
                        .map(|_| salts.draw(ID, &place("p-1"), &[0; 32], &[0; 32]).unwrap())
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let all: Vec<[u8; 24]> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(all.iter().collect::<std::collections::HashSet<_>>().len(), 2_000);
    }
}
