//! A master key on this machine.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bartizan_core::{Entropy, SecretArray, SecretBytes};
use bartizan_crypto::{Kdf, Provider};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    Error, ErrorKind, KeyContext, KeyWrapper,
    cell::{SALT, TAG},
    context::{Okm, Place},
    pae::{Piece, with_pae},
    salt::Salts,
};

/// Wraps scope keys under a master key of 32 bytes that the program holds: from a file, the environment, a secret store.
///
/// Wrapped keys look so: `FD 01 ‖ KEK id 8 ‖ salt 24 ‖ commitment 32 ‖ ciphertext 64 ‖ tag 16`. The KEK id is derived from the
/// master key, so that a key wrapped under another one is told apart from a damaged one.
///
/// # Security
/// Whoever reads the master key and the store opens everything. It must not lie in the same backup as the store.
pub struct LocalMaster {
    provider: Arc<dyn Provider>,
    kdf: Arc<dyn Kdf>,
    id: [u8; 8],
    salts: Salts,
}

impl LocalMaster {
    /// A wrapper around a master key of 32 uniformly random bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Entropy`] when no randomness can be had.
    pub fn new(
        provider: Arc<dyn Provider>,
        master: &SecretArray<32>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Error> {
        let kdf = provider.kdf(master)?;
        let mut id = [0; 8];
        kdf.expand(&[ID_LABEL], &mut id)?;
        let salts = Salts::new(&*provider, entropy)?;
        Ok(Self { provider, kdf, id, salts })
    }

    /// Which master key: 8 bytes derived from it, not secret.
    #[must_use]
    pub const fn id(&self) -> [u8; 8] {
        self.id
    }

    fn wrap_now(&self, context: &KeyContext<'_>, payload: &SecretArray<64>) -> Result<Vec<u8>, Error> {
        let (hash, kek) = (self.provider.hash(), crate::KeyId::from_bytes(self.id));
        let pieces: [Piece<'_>; 1] = [Piece::of(payload.expose().as_slice())];
        let written = with_pae(&[], &pieces, |parts| hash.sha256(parts));
        let beside = with_pae(&[], &[], |parts| hash.sha256(parts));
        let salt = self.salts.draw(kek, context, &written, &beside)?;
        let okm = Okm::derive(&*self.kdf, &salt, context)?;
        let aad = self.aad();
        let mut text = Zeroizing::new(*payload.expose());
        let mut tag = [0; TAG];
        self.provider.with_aead(okm.key()?, &mut |aead| {
            tag = aead.seal(&NONCE, &aad, text.as_mut_slice())?;
            Ok(())
        })?;
        Ok([aad.as_slice(), &salt, okm.commitment()?, text.as_slice(), &tag].concat())
    }

    fn unwrap_now(&self, context: &KeyContext<'_>, wrapped: &[u8]) -> Result<SecretBytes, Error> {
        let Parts { aad, salt, commitment, ciphertext, tag } =
            Parts::read(wrapped).ok_or(ErrorKind::Integrity)?;
        if aad.starts_with(&MAGIC) && !aad.ends_with(&self.id) {
            return Err(ErrorKind::WrappingKey.into());
        }
        let okm = Okm::derive(&*self.kdf, salt, context)?;
        // SECURITY: as for cells: the commitment first, in constant time.
        if *aad != self.aad() || !bool::from(okm.commitment()?.ct_eq(commitment)) {
            return Err(ErrorKind::Integrity.into());
        }
        let mut text = Zeroizing::new(*ciphertext);
        self.provider.with_aead(okm.key()?, &mut |aead| aead.open(&NONCE, aad, text.as_mut_slice(), tag))?;
        Ok(SecretBytes::new(text.to_vec()))
    }

    fn aad(&self) -> [u8; 10] {
        let mut aad = [0; 10];
        for (to, from) in aad.iter_mut().zip(MAGIC.iter().chain(&self.id)) {
            *to = *from;
        }
        aad
    }
}

#[async_trait]
impl KeyWrapper for LocalMaster {
    fn describe(&self) -> String {
        format!("local:{}", crate::KeyId::from_bytes(self.id))
    }

    async fn wrap(&self, context: &KeyContext<'_>, payload: &SecretArray<64>) -> Result<Vec<u8>, Error> {
        self.wrap_now(context, payload)
    }

    async fn unwrap(&self, context: &KeyContext<'_>, wrapped: &[u8]) -> Result<SecretBytes, Error> {
        self.unwrap_now(context, wrapped)
    }
}

impl fmt::Debug for LocalMaster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalMaster").field(&crate::KeyId::from_bytes(self.id)).finish()
    }
}

impl Place for KeyContext<'_> {
    fn with_pae<R>(&self, before: &[&[u8]], work: impl FnOnce(&[&[u8]]) -> R) -> R {
        KeyContext::with_pae(self, before, work)
    }

    const LABEL: &'static [u8; 16] = b"bartizan/wrap/v1";
}

/// A wrapped key, taken apart.
struct Parts<'a> {
    aad: &'a [u8; 10],
    salt: &'a [u8; SALT],
    commitment: &'a [u8; 32],
    ciphertext: &'a [u8; 64],
    tag: &'a [u8; TAG],
}

impl<'a> Parts<'a> {
    fn read(wrapped: &'a [u8]) -> Option<Self> {
        let (aad, rest) = wrapped.split_first_chunk()?;
        let (salt, rest) = rest.split_first_chunk()?;
        let (commitment, rest) = rest.split_first_chunk()?;
        let (ciphertext, rest) = rest.split_first_chunk()?;
        let (tag, rest) = rest.split_first_chunk()?;
        rest.is_empty().then_some(Self { aad, salt, commitment, ciphertext, tag })
    }
}

const MAGIC: [u8; 2] = [0xFD, 1];
/// Each wrap has a key of its own by its salt.
const NONCE: [u8; 12] = [0; 12];
const ID_LABEL: &[u8] = b"bartizan/kek/v1";
