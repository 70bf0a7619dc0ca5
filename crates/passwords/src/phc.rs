//! The PHC string format of Argon2id version 19.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, Params, pepper::KeyId};

/// `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>`, or with `,keyid=<id>` after the lanes: exactly these parameters in this order,
/// decimals without leading zeros, base64 without padding and without stray bits; a key id of 1 to 8 bytes, a salt of 8 to 64
/// bytes, a tag of 16 to 64 bytes.
pub(crate) struct Argon2idHash {
    pub(crate) params: Params,
    pub(crate) pepper: Option<KeyId>,
    pub(crate) salt: Zeroizing<Vec<u8>>,
    pub(crate) tag: Zeroizing<Vec<u8>>,
}

impl Argon2idHash {
    /// [`ErrorKind::TooCostly`] when the parameters are beyond the bounds of [`Params`], else [`ErrorKind::Malformed`].
    pub(crate) fn read(text: &str) -> Result<Self, Error> {
        let parts = parts(text).ok_or(ErrorKind::Malformed)?;
        let params = Params::danger_weak(parts.memory_kib, parts.passes, parts.lanes)
            .map_err(|_| ErrorKind::TooCostly)?;
        Ok(Self { params, pepper: parts.pepper, salt: parts.salt, tag: parts.tag })
    }

    pub(crate) fn write(&self) -> String {
        let keyid = self.pepper.map(|id| format!(",keyid={}", STANDARD_NO_PAD.encode(id.as_bytes())));
        format!(
            "{START}{},t={},p={}{}${}${}",
            self.params.memory_kib(),
            self.params.passes(),
            self.params.lanes(),
            keyid.unwrap_or_default(),
            STANDARD_NO_PAD.encode(&*self.salt),
            STANDARD_NO_PAD.encode(&*self.tag),
        )
    }
}

struct Parts {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    pepper: Option<KeyId>,
    salt: Zeroizing<Vec<u8>>,
    tag: Zeroizing<Vec<u8>>,
}

fn parts(text: &str) -> Option<Parts> {
    let rest = text.strip_prefix(START)?;
    let (memory_kib, rest) = rest.split_once(",t=")?;
    let (passes, rest) = rest.split_once(",p=")?;
    let (lanes, rest) = rest.split_once('$')?;
    let (lanes, pepper) = match lanes.split_once(",keyid=") {
        Some((lanes, id)) => (lanes, Some(KeyId::new(&STANDARD_NO_PAD.decode(id).ok()?)?)),
        None => (lanes, None),
    };
    let (salt, tag) = rest.split_once('$')?;
    Some(Parts {
        memory_kib: decimal(memory_kib)?,
        passes: decimal(passes)?,
        lanes: decimal(lanes)?,
        pepper,
        salt: bytes(salt, MIN_SALT)?,
        tag: bytes(tag, MIN_TAG)?,
    })
}

/// One to ten digits, no sign, no leading zero: one number, one text.
pub(crate) fn decimal(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    if is_plain { text.parse().ok() } else { None }
}

/// `least` to [`MAX_PART`] bytes in base64 without padding.
pub(crate) fn bytes(text: &str, least: usize) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = Zeroizing::new(STANDARD_NO_PAD.decode(text).ok()?);
    (least..=MAX_PART).contains(&bytes.len()).then_some(bytes)
}

const START: &str = "$argon2id$v=19$m=";
/// What the reference implementation of Argon2 takes at least.
const MIN_SALT: usize = 8;
/// Of any digest, ours and others'.
pub(crate) const MIN_TAG: usize = 16;
/// Of any salt or digest, ours and others'.
pub(crate) const MAX_PART: usize = 64;
