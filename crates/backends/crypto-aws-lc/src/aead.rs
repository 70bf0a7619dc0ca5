//! AES-256-GCM.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use bartizan_crypto::{Aead, Error};
use zeroize::Zeroize;

use crate::error;

#[derive(Debug)]
pub(crate) struct Aes256Gcm(LessSafeKey);

impl Aes256Gcm {
    pub(crate) fn new(key: &[u8; 32]) -> Result<Self, Error> {
        // “Less safe” in aws-lc-rs's words because the caller chooses the nonces; the contract of `Aead` says so too.
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(error::impossible)?;
        Ok(Self(LessSafeKey::new(key)))
    }
}

impl Aead for Aes256Gcm {
    fn seal(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8]) -> Result<[u8; 16], Error> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let sealed = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), in_out);
        let mut tag = [0; 16];
        tag.copy_from_slice(sealed.map_err(error::too_long)?.as_ref());
        Ok(tag)
    }

    fn open(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8], tag: &[u8; 16]) -> Result<(), Error> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.0.open_in_place_separate_tag(nonce, Aad::from(aad), tag, in_out).map(drop);
        // SECURITY: AWS-LC zeroes its output on failure, but not where it refuses a length before it begins, and neither is
        // part of the contract of aws-lc-rs.
        opened.map_err(|failed| {
            in_out.zeroize();
            error::unverified(failed)
        })
    }
}
