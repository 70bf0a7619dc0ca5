//! Hash and verify.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use argon2::{Algorithm, Argon2, Version};
use bartizan_core::{Entropy, SecretText};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::{
    Error, ErrorKind, Params, PasswordHash,
    memory::{Lease, Memory},
    normal,
};

/// Hashes and verifies passwords. One for the whole process, shared by reference.
///
/// Every call computes for 10 to 20 ms at [`Params::OWASP`] and never waits: under an async runtime call it inside
/// `spawn_blocking`.
pub struct Passwords {
    params: Params,
    ceiling: Params,
    memory: Memory,
    entropy: Arc<dyn Entropy>,
    /// Stands in for the hash that an unknown user does not have.
    dummy: PasswordHash,
    computed: AtomicU64,
}

/// What verifying a password came to. Exhaustive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a verification that nobody looks at lets everybody in"]
pub enum Verification {
    /// It is the password.
    Match {
        /// The stored hash is weaker than the current parameters: hash the password again and store that, if the old hash
        /// still stands there. Never true when hashing again would lower the work.
        needs_rehash: bool,
    },
    /// It is not the password, or there is no such user.
    Mismatch,
}

impl Passwords {
    /// New hashes are made with `params`; all operations together never hold more than `memory_budget` bytes.
    ///
    /// Memory that was used once is wiped and kept for the next operation, so that the process settles at what its busiest
    /// moment needed, within the budget.
    ///
    /// # Errors
    /// [`ErrorKind::Budget`] when the budget does not hold one operation, [`ErrorKind::Entropy`] when `entropy` does not
    /// deliver.
    pub fn new(params: Params, memory_budget: u64, entropy: Arc<dyn Entropy>) -> Result<Self, Error> {
        if params.memory_bytes() > memory_budget {
            return Err(ErrorKind::Budget.into());
        }
        let dummy = PasswordHash { params, salt: drawn(&*entropy, SALT)?, tag: drawn(&*entropy, TAG)? };
        Ok(Self {
            params,
            ceiling: most(params, Params::CEILING)?,
            memory: Memory::new(memory_budget, blocks(params)),
            entropy,
            dummy,
            computed: AtomicU64::new(0),
        })
    }

    /// The same, accepting stored hashes up to these parameters instead of [`Params::CEILING`]. Never below its own
    /// parameters: what [`Passwords::hash`] makes, [`Passwords::verify`] reads.
    ///
    /// # Errors
    /// [`ErrorKind::Params`] when the two together are beyond the bounds of [`Params`].
    pub fn accepting_at_most(mut self, ceiling: Params) -> Result<Self, Error> {
        self.ceiling = most(self.params, ceiling)?;
        Ok(self)
    }

    /// Hashes a password with a new salt of 16 bytes, to a tag of 32.
    ///
    /// # Errors
    /// [`ErrorKind::Empty`], [`ErrorKind::TooLong`], [`ErrorKind::Busy`], [`ErrorKind::Entropy`].
    pub fn hash(&self, password: &SecretText) -> Result<PasswordHash, Error> {
        let password = normal::form(password)?;
        if password.is_empty() {
            return Err(ErrorKind::Empty.into());
        }
        let salt = drawn(&*self.entropy, SALT)?;
        let mut lease = self.memory.lease(blocks(self.params))?;
        let tag = self.compute(&mut lease, self.params, &password, &salt, TAG)?;
        Ok(PasswordHash { params: self.params, salt, tag })
    }

    /// Verifies a password against a user's stored hash; pass `None` when there is no such user, or none with a password.
    ///
    /// # Errors
    /// [`ErrorKind::TooLong`], [`ErrorKind::Busy`]; [`ErrorKind::TooCostly`] when the stored hash asks for more than is
    /// allowed, before any memory is taken.
    ///
    /// # Security
    /// An unknown user, a wrong password and a hash weaker than the current parameters cost the same work, block for block,
    /// and the same memory. A stored hash that is *stronger* than the current parameters takes longer, and that can be
    /// measured from outside: raise the parameters of all services together.
    pub fn verify(
        &self,
        password: &SecretText,
        stored: Option<&PasswordHash>,
    ) -> Result<Verification, Error> {
        let password = normal::form(password)?;
        let (hash, is_known) = match stored {
            Some(hash) => (hash, Choice::from(1)),
            None => (&self.dummy, Choice::from(0)),
        };
        // SECURITY: a stored hash comes from a table that others may write; its numbers are bounded before they cost anything.
        if !hash.params.is_within(self.ceiling) || hash.params.memory_bytes() > self.memory.budget() {
            return Err(ErrorKind::TooCostly.into());
        }

        let mut lease = self.memory.lease(blocks(hash.params))?;
        let tag = self.compute(&mut lease, hash.params, &password, &hash.salt, hash.tag.len())?;
        // SECURITY: a weak hash is quickly checked; without the missing work its user would answer faster than an unknown one.
        if let Some(rest) = hash.params.missing_to(self.params) {
            let _ = self.compute(&mut lease, rest, &password, &hash.salt, TAG)?;
        }
        drop(lease);

        // SECURITY: the dummy's tag is random, but an unknown user must not get in even if it were guessed.
        if (tag.ct_eq(&hash.tag) & is_known).into() {
            Ok(Verification::Match { needs_rehash: self.needs_rehash(hash) })
        } else {
            Ok(Verification::Mismatch)
        }
    }

    /// Whether a stored hash is weaker than what [`Passwords::hash`] makes now: less work, or a shorter salt or tag with no
    /// more work. Never when hashing again would lower the work.
    #[must_use]
    pub fn needs_rehash(&self, stored: &PasswordHash) -> bool {
        let is_short = stored.salt.len() < SALT || stored.tag.len() < TAG;
        stored.params.is_weaker_than(self.params) || is_short && !self.params.is_weaker_than(stored.params)
    }

    /// Blocks of 1 KiB computed so far: what a metric of the work shows.
    #[must_use]
    pub fn blocks_computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    fn compute(
        &self,
        lease: &mut Lease<'_>,
        params: Params,
        password: &str,
        salt: &[u8],
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let settings =
            argon2::Params::new(params.memory_kib(), params.passes(), params.lanes(), Some(length))
                .map_err(|_| ErrorKind::Primitive)?;
        let mut tag = Zeroizing::new(vec![0; length]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, settings)
            .hash_password_into_with_memory(password.as_bytes(), salt, &mut tag, lease.blocks())
            .map_err(|_| ErrorKind::Primitive)?;
        self.computed.fetch_add(params.blocks(), Ordering::Relaxed);
        Ok(tag)
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords")
            .field("params", &self.params)
            .field("ceiling", &self.ceiling)
            .field("memory", &self.memory)
            .finish_non_exhaustive()
    }
}

fn drawn(entropy: &dyn Entropy, length: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut bytes = Zeroizing::new(vec![0; length]);
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}

/// The larger of each number.
fn most(one: Params, other: Params) -> Result<Params, Error> {
    Params::danger_weak(
        one.memory_kib().max(other.memory_kib()),
        one.passes().max(other.passes()),
        one.lanes().max(other.lanes()),
    )
}

const fn blocks(params: Params) -> usize {
    params.memory_kib() as usize
}

/// RFC 9106 section 3.1 recommends 16 bytes of salt.
const SALT: usize = 16;
const TAG: usize = 32;

#[cfg(test)]
mod tests {
    use argon2::{AssociatedData, ParamsBuilder};
    use bartizan_testkit::SeededEntropy;

    use super::*;

    #[test]
    fn rfc_9106_section_5_3_in_leased_memory() {
        let params = ParamsBuilder::new()
            .m_cost(32)
            .t_cost(3)
            .p_cost(4)
            .data(AssociatedData::new(&[4; 12]).unwrap())
            .build()
            .unwrap();
        let memory = Memory::new(64 * 1024, 8);
        let mut tag = [0; 32];
        // Twice, so that the second run finds the memory of the first.
        for _ in 0..2 {
            let mut lease = memory.lease(32).unwrap();
            Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params.clone())
                .unwrap()
                .hash_password_into_with_memory(&[1; 32], &[2; 16], &mut tag, lease.blocks())
                .unwrap();
            assert_eq!(
                tag,
                [
                    0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53,
                    0xc9, 0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01,
                    0xe6, 0x59,
                ]
            );
        }
    }

    #[test]
    fn an_unknown_user_stays_out_even_with_the_dummys_password() {
        let params = Params::danger_weak(8, 1, 1).unwrap();
        let mut passwords = Passwords::new(params, 1 << 20, Arc::new(SeededEntropy::new(3))).unwrap();
        let password = SecretText::new("guessed".to_owned());
        passwords.dummy = passwords.hash(&password).unwrap();
        assert_eq!(passwords.verify(&password, None).unwrap(), Verification::Mismatch);
        let dummy = PasswordHash::parse(&passwords.dummy.to_phc()).unwrap();
        assert!(matches!(passwords.verify(&password, Some(&dummy)).unwrap(), Verification::Match { .. }));
    }

    #[test]
    fn the_password_leaves_no_block_behind() {
        let params = Params::danger_weak(64, 2, 1).unwrap();
        let passwords = Passwords::new(params, 64 * 1024, Arc::new(SeededEntropy::new(3))).unwrap();
        let _ = passwords.hash(&SecretText::new("right".to_owned())).unwrap();
        // The budget holds one operation: this is the memory that the hash was computed in.
        let mut lease = passwords.memory.lease(64).unwrap();
        assert!(lease.blocks().iter().all(|block| block.as_ref().iter().all(|word| *word == 0)));
    }
}
