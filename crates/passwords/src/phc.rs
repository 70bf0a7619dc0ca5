//! The stored form of a hash: the PHC string format, Argon2id version 19 and nothing else.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, Params};

/// Longest stored form, in bytes.
pub const MAX_PHC: usize = 512;

/// A password's hash: parameters, salt and tag.
///
/// `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>`: exactly these parameters in this order, decimals without leading zeros,
/// base64 without padding and without stray bits; a salt of 8 to 64 bytes, a tag of 16 to 64 bytes.
///
/// # Security
/// Whoever reads it can try passwords against it at their leisure. It has no `Display`, and `Debug` shows nothing of it.
pub struct PasswordHash {
    pub(crate) params: Params,
    pub(crate) salt: Zeroizing<Vec<u8>>,
    pub(crate) tag: Zeroizing<Vec<u8>>,
}

impl PasswordHash {
    /// Reads a stored hash.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] when it is not of this form; [`ErrorKind::TooCostly`] when its parameters are beyond the
    /// bounds of [`Params`], whatever a service allows.
    pub fn parse(text: &str) -> Result<Self, Error> {
        // SECURITY: the length is checked before anything is allocated for it.
        if text.len() > MAX_PHC {
            return Err(ErrorKind::Malformed.into());
        }
        let parts = parts(text).ok_or(ErrorKind::Malformed)?;
        let params = Params::danger_weak(parts.memory_kib, parts.passes, parts.lanes)
            .map_err(|_| ErrorKind::TooCostly)?;
        Ok(Self { params, salt: parts.salt, tag: parts.tag })
    }

    /// The text to store.
    #[must_use]
    pub fn to_phc(&self) -> String {
        format!(
            "$argon2id$v=19$m={},t={},p={}${}${}",
            self.params.memory_kib(),
            self.params.passes(),
            self.params.lanes(),
            STANDARD_NO_PAD.encode(&*self.salt),
            STANDARD_NO_PAD.encode(&*self.tag),
        )
    }

    /// With which parameters it was made.
    #[must_use]
    pub const fn params(&self) -> Params {
        self.params
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[password hash]")
    }
}

struct Parts {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: Zeroizing<Vec<u8>>,
    tag: Zeroizing<Vec<u8>>,
}

fn parts(text: &str) -> Option<Parts> {
    let rest = text.strip_prefix("$argon2id$v=19$m=")?;
    let (memory_kib, rest) = rest.split_once(",t=")?;
    let (passes, rest) = rest.split_once(",p=")?;
    let (lanes, rest) = rest.split_once('$')?;
    let (salt, tag) = rest.split_once('$')?;
    Some(Parts {
        memory_kib: decimal(memory_kib)?,
        passes: decimal(passes)?,
        lanes: decimal(lanes)?,
        salt: bytes(salt, MIN_SALT)?,
        tag: bytes(tag, MIN_TAG)?,
    })
}

/// One to ten digits, no sign, no leading zero: one number, one text.
fn decimal(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    if is_plain { text.parse().ok() } else { None }
}

fn bytes(text: &str, least: usize) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = Zeroizing::new(STANDARD_NO_PAD.decode(text).ok()?);
    (least..=MAX_PART).contains(&bytes.len()).then_some(bytes)
}

/// What the reference implementation of Argon2 takes at least.
const MIN_SALT: usize = 8;
const MIN_TAG: usize = 16;
const MAX_PART: usize = 64;
