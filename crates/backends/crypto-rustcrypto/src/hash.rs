//! SHA-256.

use bartizan_crypto::Hash;
use sha2::Digest;

#[derive(Debug)]
pub(crate) struct Sha256;

impl Hash for Sha256 {
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = sha2::Sha256::new();
        parts.iter().for_each(|part| hash.update(part));
        hash.finalize().into()
    }
}
