//! HMAC with SHA-2. The key holds both hashed pads; each call copies them on the stack.

use aws_lc_rs::hmac::{self, Context, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512, Key, Tag};
use bartizan_crypto::{Error, ErrorKind, Mac, MacAlgorithm, MacTag};
use subtle::ConstantTimeEq;

use crate::error;

#[derive(Debug)]
pub(crate) struct HmacSha2 {
    algorithm: MacAlgorithm,
    key: Key,
}

impl HmacSha2 {
    pub(crate) fn new(algorithm: MacAlgorithm, key: &[u8]) -> Result<Self, Error> {
        let primitive = primitive(algorithm).ok_or(ErrorKind::Unsupported)?;
        if key.len() < algorithm.tag_len() {
            return Err(ErrorKind::Key.into());
        }
        Ok(Self { algorithm, key: Key::new(primitive, key) })
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

impl Mac for HmacSha2 {
    fn algorithm(&self) -> MacAlgorithm {
        self.algorithm
    }

    fn tag(&self, parts: &[&[u8]]) -> MacTag {
        MacTag::new(self.compute(parts).as_ref())
    }

    fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> Result<(), Error> {
        // SECURITY: in constant time, or a tag can be found byte by byte. A tag of another length is no secret. AWS-LC
        // compares faster, but only a message in one part.
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

pub(crate) const fn primitive(algorithm: MacAlgorithm) -> Option<hmac::Algorithm> {
    match algorithm {
        MacAlgorithm::HmacSha256 => Some(HMAC_SHA256),
        MacAlgorithm::HmacSha384 => Some(HMAC_SHA384),
        MacAlgorithm::HmacSha512 => Some(HMAC_SHA512),
        _ => None,
    }
}
