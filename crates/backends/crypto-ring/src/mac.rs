//! HMAC-SHA-256. The key holds both hashed pads; each call copies them on the stack.

use bartizan_crypto::{Error, ErrorKind, Mac, MacAlgorithm, MacTag};
use ring::hmac::{Context, HMAC_SHA256, Key, Tag};
use subtle::ConstantTimeEq;

#[derive(Debug)]
pub(crate) struct HmacSha256(Key);

impl HmacSha256 {
    pub(crate) fn new(key: &[u8]) -> Result<Self, Error> {
        if key.len() < MacAlgorithm::HmacSha256.tag_len() {
            return Err(ErrorKind::Key.into());
        }
        Ok(Self(Key::new(HMAC_SHA256, key)))
    }

    fn compute(&self, parts: &[&[u8]]) -> Tag {
        let mut context = Context::with_key(&self.0);
        parts.iter().for_each(|part| context.update(part));
        context.sign()
    }
}

impl Mac for HmacSha256 {
    fn algorithm(&self) -> MacAlgorithm {
        MacAlgorithm::HmacSha256
    }

    fn tag(&self, parts: &[&[u8]]) -> MacTag {
        MacTag::new(self.compute(parts).as_ref())
    }

    fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> Result<(), Error> {
        // SECURITY: in constant time, or a tag can be found byte by byte. A tag of another length is no secret.
        if bool::from(self.compute(parts).as_ref().ct_eq(tag)) {
            Ok(())
        } else {
            Err(ErrorKind::Unverified.into())
        }
    }
}
