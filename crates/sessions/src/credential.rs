//! What a credential is stored as.

use std::fmt;

use subtle::ConstantTimeEq;

/// The SHA-256 of one part of a credential, under a label of its own: what a store keeps and finds it by. The part is uniformly
/// random, at least 128 bits, so that the digest gives nothing away.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// From stored bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// For stores.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// In constant time.
impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

/// Shows nothing: a selector's digest in a log would link requests to rows.
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}
