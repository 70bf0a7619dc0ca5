//! The id under which a request stands in records and answers.

use std::fmt;

use bartizan_core::{Entropy, NoEntropy};

/// 16 random bytes as 32 lower-case hexadecimal digits. Always our own: an id that a client chose could be made to look
/// like another client's.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; 32]);

impl RequestId {
    /// The header that carries it in answers.
    pub const HEADER: http::HeaderName = http::HeaderName::from_static("x-request-id");

    /// Draws a new one.
    ///
    /// # Errors
    /// [`NoEntropy`] when no randomness can be had.
    pub fn draw(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let mut random = [0; 16];
        entropy.fill(&mut random)?;
        let mut digits = [b'0'; 32];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(random) {
            if let [high, low] = pair {
                (*high, *low) = (digit(byte >> 4), digit(byte & 15));
            }
        }
        Ok(Self(digits))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // INVARIANT(hex-digits): `draw` writes ASCII digits only.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

const fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
