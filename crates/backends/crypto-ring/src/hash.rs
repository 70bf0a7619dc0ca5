//! SHA-2.

use bartizan_crypto::Hash;
use ring::digest::{Algorithm, Context, SHA256, SHA384, SHA512};

#[derive(Debug)]
pub(crate) struct Sha2;

impl Hash for Sha2 {
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        hash(&SHA256, parts)
    }

    fn sha384(&self, parts: &[&[u8]]) -> [u8; 48] {
        hash(&SHA384, parts)
    }

    fn sha512(&self, parts: &[&[u8]]) -> [u8; 64] {
        hash(&SHA512, parts)
    }
}

/// `N` is the length of the algorithm's hash.
fn hash<const N: usize>(algorithm: &'static Algorithm, parts: &[&[u8]]) -> [u8; N] {
    let mut context = Context::new(algorithm);
    parts.iter().for_each(|part| context.update(part));
    let mut hash = [0; N];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}
