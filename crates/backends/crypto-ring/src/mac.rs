//! HMAC with SHA-2. The key holds both hashed pads; each call copies them on the stack.

use bartizan_crypto::{Error, ErrorKind, Mac, MacAlgorithm, MacTag};
use ring::hmac::{self, Context, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512, Key, Tag};
use subtle::ConstantTimeEq;

use crate::error;

#[derive(Debug)]
pub(crate) struct Hmac {
    algorithm: MacAlgorithm,
    key: Key,
}

impl Hmac {
    pub(crate) fn new(algorithm: MacAlgorithm, key: &[u8]) -> Result<Self, Error> {
        let with = match algorithm {
            MacAlgorithm::HmacSha256 => HMAC_SHA256,
            MacAlgorithm::HmacSha384 => HMAC_SHA384,
            MacAlgorithm::HmacSha512 => HMAC_SHA512,
            _ => return Err(ErrorKind::Unsupported.into()),
        };
        if key.len() < algorithm.tag_len() {
            return Err(ErrorKind::Key.into());
        }
        Ok(Self { algorithm, key: Key::new(with, key) })
    }

    fn compute(&self, parts: &[&[u8]]) -> Tag {
        if let [whole] = parts {
            return hmac::sign(&self.key, whole);
        }
        let mut context = Context::with_key(&self.key);
        parts.iter().for_each(|part| context.update(part));
        context.sign()
    }
}

impl Mac for Hmac {
    fn algorithm(&self) -> MacAlgorithm {
        self.algorithm
    }

    fn tag(&self, parts: &[&[u8]]) -> MacTag {
        MacTag::new(self.compute(parts).as_ref())
    }

    fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> Result<(), Error> {
        // SECURITY: in constant time, or a tag can be found byte by byte. A tag of another length is no secret. ring compares
        // in a tenth of the time, but only a message in one part.
        if let [whole] = parts {
            return hmac::verify(&self.key, whole, tag).map_err(error::unverified);
        }
        if bool::from(self.compute(parts).as_ref().ct_eq(tag)) {
            Ok(())
        } else {
            Err(ErrorKind::Unverified.into())
        }
    }
}
