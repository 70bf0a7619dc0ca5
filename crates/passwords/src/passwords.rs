//! Hash, wrap, and when to hash again.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bartizan_core::{Entropy, SecretText};
use zeroize::Zeroizing;

use crate::{
    Argon2idEngine, Argon2idInput, Error, ErrorKind, Params, PasswordHash, Peppers, RustCryptoArgon2id,
    memory::{Lease, Memory},
    normal,
    pepper::KeyId,
    phc::Argon2idHash,
    stored::Form,
};

/// Hashes and verifies passwords. One for the whole process, shared by reference.
///
/// Every call computes for 10 to 20 ms at [`Params::OWASP`] and never waits: under an async runtime call it inside
/// `spawn_blocking`.
pub struct Passwords {
    pub(crate) params: Params,
    pub(crate) ceiling: Params,
    pub(crate) memory: Memory,
    entropy: Arc<dyn Entropy>,
    peppers: Option<Peppers>,
    /// Stands in for the hash that an unknown user does not have.
    pub(crate) dummy: Argon2idHash,
    computed: AtomicU64,
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
        let dummy =
            Argon2idHash { params, pepper: None, salt: drawn(&*entropy, SALT)?, tag: drawn(&*entropy, TAG)? };
        Ok(Self {
            params,
            ceiling: most(params, Params::CEILING)?,
            memory: Memory::new(Arc::new(RustCryptoArgon2id), memory_budget, params.memory_kib()),
            entropy,
            peppers: None,
            dummy,
            computed: AtomicU64::new(0),
        })
    }

    /// The same, accepting stored hashes up to these parameters instead of [`Params::CEILING`]. Never below its own
    /// parameters: what [`Passwords::hash`] makes, [`Passwords::verify`] reads. The memory also bounds that of scrypt.
    ///
    /// # Errors
    /// [`ErrorKind::Params`] when the two together are beyond the bounds of [`Params`].
    pub fn accepting_at_most(mut self, ceiling: Params) -> Result<Self, Error> {
        self.ceiling = most(self.params, ceiling)?;
        Ok(self)
    }

    /// The same, computed by another engine than [`RustCryptoArgon2id`].
    #[must_use]
    pub fn with_engine(mut self, engine: Arc<dyn Argon2idEngine>) -> Self {
        self.memory = self.memory.with_engine(engine);
        self
    }

    /// The same, hashing with the active pepper. Stored hashes without a pepper verify still, and are to be made again.
    ///
    /// # Errors
    /// [`ErrorKind::Pepper`] when two of them have one id or one key.
    pub fn with_peppers(mut self, peppers: Peppers) -> Result<Self, Error> {
        if !peppers.are_distinct() {
            return Err(ErrorKind::Pepper.into());
        }
        self.dummy.pepper = Some(peppers.active().id());
        self.peppers = Some(peppers);
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
        let hash = self.argon2id(password.as_bytes())?;
        Ok(PasswordHash { form: Form::Argon2id { hash, prefix: "" } })
    }

    /// Argon2id around the digest of another system's hash, so that a whole table is protected by it at once, without the
    /// passwords. `None` when there is nothing to do: the hash is by Argon2id, or is wrapped already.
    ///
    /// Store it if the old hash still stands there: `UPDATE … SET hash = new WHERE id = … AND hash = old`. A login with it
    /// computes both schemes, and is told to hash again by Argon2id alone.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`], [`ErrorKind::Entropy`]; [`ErrorKind::TooCostly`] when the stored hash could not be verified here.
    pub fn wrap_legacy(&self, stored: &PasswordHash) -> Result<Option<PasswordHash>, Error> {
        let Form::Legacy { recipe, digest, .. } = &stored.form else { return Ok(None) };
        self.check(recipe, self.params)?;
        let outer = self.argon2id(digest)?;
        Ok(Some(PasswordHash { form: Form::Wrapped { inner: recipe.clone(), outer } }))
    }

    /// Whether a stored hash is weaker than what [`Passwords::hash`] makes now: another scheme, less work, or a shorter salt
    /// or tag, no pepper or an older one with no more work. Never when hashing again would lower the work of Argon2id.
    #[must_use]
    pub fn needs_rehash(&self, stored: &PasswordHash) -> bool {
        match &stored.form {
            Form::Argon2id { hash, .. } => self.is_outdated(hash),
            Form::Legacy { .. } | Form::Wrapped { .. } => true,
            Form::Unusable { .. } => false,
        }
    }

    /// Blocks of 1 KiB that Argon2id has computed so far: what a metric of the work shows.
    #[must_use]
    pub fn blocks_computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    /// A new hash with the current parameters, a new salt and the active pepper.
    fn argon2id(&self, message: &[u8]) -> Result<Argon2idHash, Error> {
        let salt = drawn(&*self.entropy, SALT)?;
        let pepper = self.peppers.as_ref().map(|peppers| peppers.active().id());
        let mut hash = Argon2idHash { params: self.params, pepper, salt, tag: Zeroizing::default() };
        let mut lease = self.memory.lease(self.params.memory_kib())?;
        hash.tag = self.compute(&mut lease, &hash, message, TAG)?;
        Ok(hash)
    }

    pub(crate) fn is_outdated(&self, hash: &Argon2idHash) -> bool {
        let is_short = hash.salt.len() < SALT || hash.tag.len() < TAG;
        let is_under_older = self.peppers.as_ref().is_some_and(|peppers| match hash.pepper {
            Some(id) => peppers.is_older(id),
            None => true,
        });
        hash.params.is_weaker_than(self.params)
            || (is_short || is_under_older) && !self.params.is_weaker_than(hash.params)
    }

    /// The secret of a pepper; empty when there is none.
    pub(crate) fn secret(&self, pepper: Option<KeyId>) -> Result<&[u8], Error> {
        let Some(id) = pepper else { return Ok(&[]) };
        let pepper = self.peppers.as_ref().and_then(|peppers| peppers.of(id));
        Ok(pepper.ok_or(ErrorKind::UnknownPepper)?.secret())
    }

    /// The tag of a message, with the parameters, salt and pepper of `with`.
    pub(crate) fn compute(
        &self,
        lease: &mut Lease<'_>,
        with: &Argon2idHash,
        message: &[u8],
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let input =
            Argon2idInput::new(with.params, message, &with.salt).with_secret(self.secret(with.pepper)?);
        let mut tag = Zeroizing::new(vec![0; length]);
        lease.derive(&input, &mut tag)?;
        self.computed.fetch_add(with.params.blocks(), Ordering::Relaxed);
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

/// RFC 9106 section 3.1 recommends 16 bytes of salt.
const SALT: usize = 16;
pub(crate) const TAG: usize = 32;
