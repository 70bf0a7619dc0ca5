//! HKDF-Expand with SHA-256.

use std::fmt;

use bartizan_core::SecretArray;
use bartizan_crypto::{Error, ErrorKind, Kdf};
use hkdf::Hkdf;
use sha2::Sha256;

pub(crate) struct HkdfSha256(Hkdf<Sha256>);

impl HkdfSha256 {
    pub(crate) fn new(key: &SecretArray<32>) -> Result<Self, Error> {
        // The key is uniformly random already, so extraction is left out (RFC 5869 §3.3). 32 bytes are never too few.
        Hkdf::from_prk(key.expose()).map(Self).map_err(|_| ErrorKind::Primitive.into())
    }
}

impl Kdf for HkdfSha256 {
    fn expand(&self, info: &[&[u8]], okm: &mut [u8]) -> Result<(), Error> {
        self.0.expand_multi_info(info, okm).map_err(|_| ErrorKind::TooLong.into())
    }
}

impl fmt::Debug for HkdfSha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HkdfSha256")
    }
}
