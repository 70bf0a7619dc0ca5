//! SHA-256.

use bartizan_crypto::Hash;
use ring::digest::{Context, SHA256};

#[derive(Debug)]
pub(crate) struct Sha256;

impl Hash for Sha256 {
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        parts.iter().for_each(|part| context.update(part));
        let mut hash = [0; 32];
        hash.copy_from_slice(context.finish().as_ref());
        hash
    }
}
