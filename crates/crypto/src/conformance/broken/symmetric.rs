//! Broken hashes, MACs, key derivations and AEADs.

use std::{fmt, sync::Arc};

use super::{Broken, Defect};
use crate::{Aead, Error, ErrorKind, Hash, Kdf, Mac, MacAlgorithm, MacTag};

impl Hash for Broken {
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.inner.hash().sha256(&[&self.hashed(parts)])
    }

    fn sha384(&self, parts: &[&[u8]]) -> [u8; 48] {
        if self.defect == Defect::HashIsCutFromALongerOne {
            let [longer @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
                self.inner.hash().sha512(parts);
            return longer;
        }
        self.inner.hash().sha384(&[&self.hashed(parts)])
    }

    fn sha512(&self, parts: &[&[u8]]) -> [u8; 64] {
        self.inner.hash().sha512(&[&self.hashed(parts)])
    }
}

impl Broken {
    /// What is hashed of the parts.
    fn hashed(&self, parts: &[&[u8]]) -> Vec<u8> {
        match self.defect {
            Defect::HashOfOnePart => parts.first().map(|part| part.to_vec()).unwrap_or_default(),
            Defect::HashOfOneBlock => {
                let mut whole = parts.concat();
                whole.truncate(64);
                whole
            }
            _ => parts.concat(),
        }
    }
}

pub(super) struct BrokenMac {
    pub(super) inner: Arc<dyn Mac>,
    pub(super) algorithm: MacAlgorithm,
    pub(super) key: Vec<u8>,
    pub(super) defect: Defect,
}

impl BrokenMac {
    /// The message as the defect sees it.
    fn message(&self, parts: &[&[u8]]) -> Vec<u8> {
        match self.defect {
            Defect::MacMarksParts => parts.join(&0),
            Defect::MacIgnoresTheLastByte => {
                let mut whole = parts.concat();
                whole.pop();
                whole
            }
            _ => parts.concat(),
        }
    }
}

impl Mac for BrokenMac {
    fn algorithm(&self) -> MacAlgorithm {
        self.algorithm
    }

    fn tag(&self, parts: &[&[u8]]) -> MacTag {
        let tag = self.inner.tag(&[&self.message(parts)]);
        MacTag::new(tag.as_bytes().get(..self.algorithm.tag_len()).unwrap_or_default())
    }

    fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> Result<(), Error> {
        let message = self.message(parts);
        let right = self.tag(parts);
        let right = right.as_bytes();
        let verified = match self.defect {
            Defect::MacVerifiesAnything => true,
            Defect::MacVerifiesTruncatedTags => right.starts_with(tag),
            Defect::MacVerifiesHalfATag => tag.len() == right.len() && tag.get(..16) == right.get(..16),
            Defect::MacIsCutFromALongerOne => tag == right,
            _ => return self.inner.verify(&[&message], tag),
        };
        if verified { Ok(()) } else { Err(ErrorKind::Unverified.into()) }
    }
}

impl fmt::Debug for BrokenMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: &dyn fmt::Debug =
            if self.defect == Defect::MacShowsItsKey { &self.key } else { &self.inner };
        shown.fmt(f)
    }
}

#[derive(Debug)]
pub(super) struct BrokenKdf {
    pub(super) inner: Arc<dyn Kdf>,
    pub(super) defect: Defect,
}

impl Kdf for BrokenKdf {
    fn expand(&self, info: &[&[u8]], okm: &mut [u8]) -> Result<(), Error> {
        match self.defect {
            Defect::KdfIgnoresInfo => self.inner.expand(&[], okm),
            Defect::KdfMarksParts => self.inner.expand(&[&info.join(&0)], okm),
            Defect::KdfRepeatsItself if okm.len() <= 8_160 => {
                let mut block = [0; 32];
                self.inner.expand(info, &mut block)?;
                okm.iter_mut().zip(block.iter().cycle()).for_each(|(to, from)| *to = *from);
                Ok(())
            }
            Defect::KdfFillsTooMuch => {
                let (fitting, over) = okm.split_at_mut(okm.len().min(8_160));
                over.fill(0);
                self.inner.expand(info, fitting)
            }
            Defect::KdfWritesBeforeItRefuses => self.inner.expand(info, okm).inspect_err(|_| okm.fill(0)),
            _ => self.inner.expand(info, okm),
        }
    }
}

pub(super) struct BrokenAead<'a> {
    pub(super) inner: &'a dyn Aead,
    pub(super) defect: Defect,
}

impl BrokenAead<'_> {
    fn data<'d>(&self, aad: &'d [u8]) -> &'d [u8] {
        if self.defect == Defect::AeadIgnoresData { &[] } else { aad }
    }
}

impl Aead for BrokenAead<'_> {
    fn seal(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8]) -> Result<[u8; 16], Error> {
        self.inner.seal(nonce, self.data(aad), in_out)
    }

    fn open(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8], tag: &[u8; 16]) -> Result<(), Error> {
        let sealed = in_out.to_vec();
        let opened = self.inner.open(nonce, self.data(aad), in_out, tag);
        let Err(refused) = opened else {
            return Ok(());
        };
        // Counter mode is its own inverse: sealing the ciphertext decrypts it, and sealing that gives the right tag.
        let mut plain = sealed.clone();
        self.inner.seal(nonce, aad, &mut plain)?;
        let right = self.inner.seal(nonce, aad, &mut plain.clone())?;
        match self.defect {
            Defect::OpenComparesTwelveBytes if right.first_chunk::<12>() == tag.first_chunk() => {
                in_out.copy_from_slice(&plain);
                Ok(())
            }
            Defect::OpenChecksNothing => {
                in_out.copy_from_slice(&plain);
                Ok(())
            }
            Defect::OpenLeavesPlaintext => {
                in_out.copy_from_slice(&plain);
                Err(refused)
            }
            Defect::OpenLeavesCiphertext => {
                in_out.copy_from_slice(&sealed);
                Err(refused)
            }
            _ => Err(refused),
        }
    }
}
