//! SHA-2.

use bartizan_crypto::Hash;
use sha2::{Digest, digest::Output};

#[derive(Debug)]
pub(crate) struct Sha2;

impl Hash for Sha2 {
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        hash::<sha2::Sha256>(parts).into()
    }

    fn sha384(&self, parts: &[&[u8]]) -> [u8; 48] {
        hash::<sha2::Sha384>(parts).into()
    }

    fn sha512(&self, parts: &[&[u8]]) -> [u8; 64] {
        hash::<sha2::Sha512>(parts).into()
    }
}

fn hash<D: Digest>(parts: &[&[u8]]) -> Output<D> {
    let mut hash = D::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize()
}
