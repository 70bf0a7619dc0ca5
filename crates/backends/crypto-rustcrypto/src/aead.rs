//! AES-256-GCM. The prepared key lives on the stack of `with_aead` and is wiped there.

use aes::{Aes256, cipher::consts::U12};
use aes_gcm::{AeadInOut, AesGcm, KeyInit};
use bartizan_crypto::{Aead, Error, ErrorKind};
use zeroize::Zeroize;

pub(crate) struct Aes256Gcm(AesGcm<Aes256, U12>);

impl Aes256Gcm {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(AesGcm::new(key.into()))
    }
}

impl Aead for Aes256Gcm {
    fn seal(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8]) -> Result<[u8; 16], Error> {
        let sealed = self.0.encrypt_inout_detached(nonce.into(), aad, in_out.into());
        sealed.map(Into::into).map_err(|_| ErrorKind::TooLong.into())
    }

    fn open(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8], tag: &[u8; 16]) -> Result<(), Error> {
        let opened = self.0.decrypt_inout_detached(nonce.into(), aad, (&mut *in_out).into(), tag.into());
        // SECURITY: what is in the buffer after a failure is not part of the primitive's contract; an early version left the
        // plaintext there (RUSTSEC-2023-0096).
        opened.map_err(|_| {
            in_out.zeroize();
            ErrorKind::Unverified.into()
        })
    }
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    /// The key lives on a stack, which a test cannot look at afterwards; its type promises the wiping.
    #[test]
    fn the_prepared_key_is_of_a_type_that_is_wiped() {
        fn is_wiped<T: ZeroizeOnDrop>(_: &T) -> bool {
            true
        }
        assert!(is_wiped(&Aes256Gcm::new(&[1; 32]).0));
    }
}
