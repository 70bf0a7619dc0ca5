//! Randomness that a test can repeat, or break.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use bartizan_core::{Entropy, NoEntropy};

/// A repeatable sequence (SplitMix64). No randomness at all: for tests only.
#[derive(Debug)]
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    /// The sequence of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        for chunk in buffer.chunks_mut(8) {
            let step = 0x9E37_79B9_7F4A_7C15;
            let mut z = self.0.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^= z >> 31;
            for (byte, random) in chunk.iter_mut().zip(z.to_le_bytes()) {
                *byte = random;
            }
        }
        Ok(())
    }
}

/// Gives the same bytes again and again: what a forked process or a restored snapshot does.
#[derive(Debug)]
pub struct RepeatingEntropy(Mutex<Vec<u8>>);

impl RepeatingEntropy {
    /// Repeats `bytes`, which must not be empty for anything to be filled.
    #[must_use]
    pub fn of(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Mutex::new(bytes.into()))
    }
}

impl Entropy for RepeatingEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes.is_empty() && !buffer.is_empty() {
            return Err(NoEntropy);
        }
        for (to, from) in buffer.iter_mut().zip(bytes.iter().cycle()) {
            *to = *from;
        }
        Ok(())
    }
}

/// Never delivers.
#[derive(Clone, Copy, Debug, Default)]
pub struct BrokenEntropy;

impl Entropy for BrokenEntropy {
    fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
        Err(NoEntropy)
    }
}
