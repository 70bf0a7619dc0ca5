//! HKDF-Expand with SHA-256.

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk};
use bartizan_core::SecretArray;
use bartizan_crypto::{Error, Kdf};

use crate::error;

#[derive(Debug)]
pub(crate) struct HkdfSha256(Prk);

impl HkdfSha256 {
    pub(crate) fn new(key: &SecretArray<32>) -> Self {
        // “Less safe” in aws-lc-rs's words because extraction is left out: the key is uniformly random already (RFC 5869 §3.3).
        Self(Prk::new_less_safe(HKDF_SHA256, key.expose()))
    }
}

impl Kdf for HkdfSha256 {
    fn expand(&self, info: &[&[u8]], okm: &mut [u8]) -> Result<(), Error> {
        let output = self.0.expand(info, Length(okm.len())).map_err(error::too_long)?;
        output.fill(okm).map_err(error::impossible)
    }
}

/// How many bytes to expand to.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}
