//! HMAC with SHA-2. The key holds both hashed pads; each call clones them and wipes the clone.

use std::{fmt, sync::Arc};

use bartizan_crypto::{Error, ErrorKind, Mac, MacAlgorithm, MacTag};
use hmac::{Hmac, KeyInit};
use sha2::{Sha256, Sha384, Sha512};

/// Prepares a key.
pub(crate) fn prepare(algorithm: MacAlgorithm, key: &[u8]) -> Result<Arc<dyn Mac>, Error> {
    match algorithm {
        MacAlgorithm::HmacSha256 => Ok(Arc::new(Prepared::<Hmac<Sha256>>::new(algorithm, key)?)),
        MacAlgorithm::HmacSha384 => Ok(Arc::new(Prepared::<Hmac<Sha384>>::new(algorithm, key)?)),
        MacAlgorithm::HmacSha512 => Ok(Arc::new(Prepared::<Hmac<Sha512>>::new(algorithm, key)?)),
        _ => Err(ErrorKind::Unsupported.into()),
    }
}

struct Prepared<H> {
    algorithm: MacAlgorithm,
    hmac: H,
}

impl<H: hmac::Mac + KeyInit + Clone> Prepared<H> {
    fn new(algorithm: MacAlgorithm, key: &[u8]) -> Result<Self, Error> {
        if key.len() < algorithm.tag_len() {
            return Err(ErrorKind::Key.into());
        }
        let hmac = <H as KeyInit>::new_from_slice(key).map_err(|_| ErrorKind::Key)?;
        Ok(Self { algorithm, hmac })
    }

    fn with_message(&self, parts: &[&[u8]]) -> H {
        let mut hmac = self.hmac.clone();
        parts.iter().for_each(|part| hmac.update(part));
        hmac
    }
}

impl<H: hmac::Mac + KeyInit + Clone + Send + Sync> Mac for Prepared<H> {
    fn algorithm(&self) -> MacAlgorithm {
        self.algorithm
    }

    fn tag(&self, parts: &[&[u8]]) -> MacTag {
        MacTag::new(self.with_message(parts).finalize().as_bytes())
    }

    fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> Result<(), Error> {
        // SECURITY: in constant time, or a tag can be found byte by byte. A tag of another length is no secret.
        self.with_message(parts).verify_slice(tag).map_err(|_| ErrorKind::Unverified.into())
    }
}

impl<H> fmt::Debug for Prepared<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hmac({:?})", self.algorithm)
    }
}
