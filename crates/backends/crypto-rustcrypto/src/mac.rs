//! HMAC-SHA-256. The key holds both hashed pads; each call clones them and wipes the clone.

use std::fmt;

use bartizan_crypto::{Error, ErrorKind, Mac, MacAlgorithm, MacTag};
use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq;

pub(crate) struct HmacSha256(Hmac<Sha256>);

impl HmacSha256 {
    pub(crate) fn new(key: &[u8]) -> Result<Self, Error> {
        if key.len() < MacAlgorithm::HmacSha256.tag_len() {
            return Err(ErrorKind::Key.into());
        }
        Hmac::new_from_slice(key).map(Self).map_err(|_| ErrorKind::Key.into())
    }

    fn compute(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hmac = self.0.clone();
        parts.iter().for_each(|part| hmac.update(part));
        hmac.finalize().into_bytes().into()
    }
}

impl Mac for HmacSha256 {
    fn algorithm(&self) -> MacAlgorithm {
        MacAlgorithm::HmacSha256
    }

    fn tag(&self, parts: &[&[u8]]) -> MacTag {
        MacTag::new(&self.compute(parts))
    }

    fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> Result<(), Error> {
        // SECURITY: in constant time, or a tag can be found byte by byte. A tag of another length is no secret.
        if bool::from(self.compute(parts).as_slice().ct_eq(tag)) {
            Ok(())
        } else {
            Err(ErrorKind::Unverified.into())
        }
    }
}

impl fmt::Debug for HmacSha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacSha256")
    }
}
