//! Schemes of other systems: their costs, their bounds, their digests. Nothing is hashed with them anew.

mod bcrypt;
mod read;

use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use crate::{
    Error, ErrorKind,
    phc::{MAX_PART, MIN_TAG},
};

pub(crate) use read::read;

/// A scheme of password hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// Argon2id version 19 (RFC 9106): what is hashed with here.
    Argon2id,
    /// bcrypt, of the versions 2a, 2b and 2y.
    Bcrypt,
    /// bcrypt over the hexadecimal SHA-256 of the password: Django's `bcrypt_sha256`.
    BcryptSha256,
    /// scrypt (RFC 7914).
    Scrypt,
    /// PBKDF2 (RFC 8018) with HMAC-SHA-1.
    Pbkdf2Sha1,
    /// PBKDF2 with HMAC-SHA-256.
    Pbkdf2Sha256,
    /// PBKDF2 with HMAC-SHA-512.
    Pbkdf2Sha512,
    /// None: the account has no password, and nothing matches.
    Unusable,
}

/// Everything that a digest is computed of, beside the password.
#[derive(Clone)]
pub(crate) struct Recipe {
    pub(crate) cost: Cost,
    pub(crate) salt: Zeroizing<Vec<u8>>,
    /// Of the digest, in bytes.
    pub(crate) length: usize,
}

#[derive(Clone, Copy)]
pub(crate) enum Cost {
    Bcrypt { rounds_log2: u32, is_of_sha256: bool },
    Scrypt { log_n: u32, r: u32, p: u32 },
    Pbkdf2 { prf: Prf, rounds: u32 },
}

#[derive(Clone, Copy)]
pub(crate) enum Prf {
    Sha1,
    Sha256,
    Sha512,
}

impl Prf {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "pbkdf2-sha1",
            Self::Sha256 => "pbkdf2-sha256",
            Self::Sha512 => "pbkdf2-sha512",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha512].into_iter().find(|prf| prf.name() == name)
    }

    const fn width(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl Recipe {
    /// bcrypt keeps 23 of 24 bytes.
    pub(crate) const BCRYPT_DIGEST: usize = 23;

    /// The recipe, if its numbers are ones that may be computed.
    ///
    /// SECURITY: a stored hash comes from a table that others may write; its numbers are bounded before they cost anything.
    pub(crate) fn bounded(self) -> Result<Self, Error> {
        let is_sound = (MIN_TAG..=MAX_PART).contains(&self.length)
            && (1..=MAX_PART).contains(&self.salt.len())
            && match self.cost {
                Cost::Bcrypt { rounds_log2, .. } => rounds_log2 >= 4 && self.salt.len() == BCRYPT_SALT,
                Cost::Scrypt { log_n, r, p } => log_n >= 1 && r >= 1 && p >= 1,
                Cost::Pbkdf2 { rounds, .. } => rounds >= 1,
            };
        if !is_sound {
            return Err(ErrorKind::Malformed.into());
        }
        let is_bounded = match self.cost {
            Cost::Bcrypt { rounds_log2, .. } => rounds_log2 <= MAX_BCRYPT,
            Cost::Scrypt { log_n, r, p } => {
                // Each number first, so that the product is one.
                log_n <= 24 && r <= 64 && p <= 64 && (u64::from(r * p) << log_n) <= MAX_SCRYPT
            }
            Cost::Pbkdf2 { prf, rounds } => {
                let blocks = self.length.div_ceil(prf.width());
                u64::from(rounds) * blocks as u64 <= MAX_PBKDF2
            }
        };
        if is_bounded { Ok(self) } else { Err(ErrorKind::TooCostly.into()) }
    }

    pub(crate) const fn scheme(&self) -> Scheme {
        match self.cost {
            Cost::Bcrypt { is_of_sha256: false, .. } => Scheme::Bcrypt,
            Cost::Bcrypt { is_of_sha256: true, .. } => Scheme::BcryptSha256,
            Cost::Scrypt { .. } => Scheme::Scrypt,
            Cost::Pbkdf2 { prf: Prf::Sha1, .. } => Scheme::Pbkdf2Sha1,
            Cost::Pbkdf2 { prf: Prf::Sha256, .. } => Scheme::Pbkdf2Sha256,
            Cost::Pbkdf2 { prf: Prf::Sha512, .. } => Scheme::Pbkdf2Sha512,
        }
    }

    /// The memory that computing it takes beside a few kilobytes, in bytes.
    pub(crate) const fn memory_bytes(&self) -> u64 {
        match self.cost {
            // RFC 7914 section 5 and 6: the vector `V`, the blocks `B`, and one block of scratch.
            Cost::Scrypt { log_n, r, p } => 128 * r as u64 * ((1 << log_n) + p as u64 + 1),
            Cost::Bcrypt { .. } | Cost::Pbkdf2 { .. } => 0,
        }
    }

    /// The digest of a password, and whether the scheme reads every byte of it and tells it from all others. The work is done
    /// either way.
    pub(crate) fn digest(&self, password: &str) -> Result<(Zeroizing<Vec<u8>>, bool), Error> {
        let password = password.as_bytes();
        let mut digest = Zeroizing::new(vec![0; self.length]);
        match self.cost {
            Cost::Bcrypt { rounds_log2, is_of_sha256 } => {
                let is_whole = if is_of_sha256 {
                    bcrypt::of_sha256(rounds_log2, &self.salt, password, &mut digest)
                } else {
                    bcrypt::of(rounds_log2, &self.salt, password, &mut digest)
                };
                return Ok((digest, is_whole));
            }
            Cost::Scrypt { log_n, r, p } => {
                let log_n = u8::try_from(log_n).map_err(|_| ErrorKind::Primitive)?;
                let params = scrypt::Params::new(log_n, r, p).map_err(|_| ErrorKind::Primitive)?;
                scrypt::scrypt(password, &self.salt, &params, &mut digest)
                    .map_err(|_| ErrorKind::Primitive)?;
            }
            Cost::Pbkdf2 { prf: Prf::Sha1, rounds } => {
                pbkdf2_hmac::<Sha1>(password, &self.salt, rounds, &mut digest);
            }
            Cost::Pbkdf2 { prf: Prf::Sha256, rounds } => {
                pbkdf2_hmac::<Sha256>(password, &self.salt, rounds, &mut digest);
            }
            Cost::Pbkdf2 { prf: Prf::Sha512, rounds } => {
                pbkdf2_hmac::<Sha512>(password, &self.salt, rounds, &mut digest);
            }
        }
        // SECURITY: HMAC fills up a short key with NULs (RFC 2104 section 2), so that `a` and `a` with NULs after it are one.
        Ok((digest, !password.ends_with(&[0])))
    }
}

const BCRYPT_SALT: usize = 16;

/// 2^16 rounds take 4 seconds of a processor where 2^12 take a quarter of one.
const MAX_BCRYPT: u32 = 16;
/// N · r · p: as much work as N = 2^20, r = 8, p = 1, which is a gigabyte.
const MAX_SCRYPT: u64 = 1 << 23;
/// Rounds, times the blocks of the digest.
const MAX_PBKDF2: u64 = 10_000_000;

#[cfg(test)]
mod tests;
