//! Randomness is given, never taken.

use std::fmt::Debug;

/// The source of random bytes could not deliver. Nothing may be made from what was in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the source of random bytes did not deliver")]
pub struct NoEntropy;

/// Where random bytes come from. Pass [`os::OsEntropy`](crate::os::OsEntropy) in programs.
///
/// # Security
/// Keys, token ids and salts are made from it: anything but a cryptographic source breaks them.
pub trait Entropy: Debug + Send + Sync + 'static {
    /// Fills `buffer` with uniformly random bytes, all of it or none.
    ///
    /// # Errors
    /// [`NoEntropy`] when the source does not deliver.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy>;
}
