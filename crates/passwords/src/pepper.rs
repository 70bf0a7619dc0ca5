//! Keys that a stolen table of hashes is worth nothing without.

use std::fmt;

use bartizan_core::SecretBytes;
use subtle::ConstantTimeEq;

use crate::{Error, ErrorKind};

/// A secret key and its id: the secret value `K` of RFC 9106 section 3.1 and the `keyid` of the PHC string format.
///
/// ```
/// use bartizan_core::SecretBytes;
/// use bartizan_passwords::{Pepper, Peppers};
///
/// // 32 random bytes from the secret store, never from the database that holds the hashes.
/// # let (this_year, last_year) = (SecretBytes::new(vec![1; 32]), SecretBytes::new(vec![2; 32]));
/// let peppers = Peppers::new(Pepper::new(b"2026", this_year)?).older(Pepper::new(b"2025", last_year)?);
/// # let _ = peppers;
/// # Ok::<(), bartizan_passwords::Error>(())
/// ```
///
/// # Security
/// Whoever loses it loses every hash made with it: there is no way to verify them, and none to make others of them without
/// the passwords. Back it up where the database's backup is not.
pub struct Pepper {
    id: KeyId,
    secret: SecretBytes,
}

impl Pepper {
    /// An id of 1 to 8 bytes, which is stored in clear beside each hash, and a key of 32 to 1,024 random bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Pepper`] for other lengths.
    pub fn new(id: &[u8], secret: SecretBytes) -> Result<Self, Error> {
        let id = KeyId::new(id).ok_or(ErrorKind::Pepper)?;
        if !(MIN_SECRET..=MAX_SECRET).contains(&secret.expose().len()) {
            return Err(ErrorKind::Pepper.into());
        }
        Ok(Self { id, secret })
    }

    pub(crate) const fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) fn secret(&self) -> &[u8] {
        self.secret.expose()
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pepper").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The pepper that new hashes are made with, and those that stored ones may have been made with.
///
/// To rotate, without a moment in which a hash made by one instance is unknown to another: give the new pepper to every
/// instance as [`Peppers::newer`]; then make it the active one and the old one [`Peppers::older`], instance by instance. From
/// then on each login makes the user's hash again under the new one. The old one is needed until the last hash under it is
/// gone: `SELECT … WHERE hash LIKE '%,keyid=<id in base64>$%'`.
#[derive(Debug)]
pub struct Peppers {
    active: Pepper,
    newer: Vec<Pepper>,
    older: Vec<Pepper>,
}

impl Peppers {
    /// New hashes are made with `active`.
    #[must_use]
    pub const fn new(active: Pepper) -> Self {
        Self { active, newer: Vec::new(), older: Vec::new() }
    }

    /// Hashes under this one verify, and are to be made again.
    #[must_use]
    pub fn older(mut self, pepper: Pepper) -> Self {
        self.older.push(pepper);
        self
    }

    /// Hashes under this one verify, and are left alone: other instances make them already.
    #[must_use]
    pub fn newer(mut self, pepper: Pepper) -> Self {
        self.newer.push(pepper);
        self
    }

    /// No two of one id and no two of one key.
    pub(crate) fn are_distinct(&self) -> bool {
        let all: Vec<&Pepper> = self.all().collect();
        all.iter().enumerate().all(|(at, one)| {
            all.iter().skip(at + 1).all(|other| {
                let is_same_secret: bool = one.secret().ct_eq(other.secret()).into();
                one.id != other.id && !is_same_secret
            })
        })
    }

    pub(crate) const fn active(&self) -> &Pepper {
        &self.active
    }

    pub(crate) fn of(&self, id: KeyId) -> Option<&Pepper> {
        self.all().find(|pepper| pepper.id == id)
    }

    /// Whether a hash under this id is to be made again.
    pub(crate) fn is_older(&self, id: KeyId) -> bool {
        self.older.iter().any(|pepper| pepper.id == id)
    }

    fn all(&self) -> impl Iterator<Item = &Pepper> {
        [&self.active].into_iter().chain(&self.newer).chain(&self.older)
    }
}

/// The id of a pepper: 1 to 8 bytes, public.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyId {
    bytes: [u8; MAX_ID],
    length: usize,
}

impl KeyId {
    pub(crate) fn new(id: &[u8]) -> Option<Self> {
        let mut bytes = [0; MAX_ID];
        bytes.get_mut(..id.len()).filter(|room| !room.is_empty())?.copy_from_slice(id);
        Some(Self { bytes, length: id.len() })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_bytes().escape_ascii())
    }
}

/// What the PHC string format allows.
const MAX_ID: usize = 8;
/// As many bytes as the tag has.
const MIN_SECRET: usize = 32;
const MAX_SECRET: usize = 1_024;
