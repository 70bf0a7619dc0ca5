//! Text that claims to be a token.

use std::fmt;

/// Untrusted text from a request that claims to be a token.
///
/// It has no `Display` and its `Debug` shows its length only: a bearer token in a log is a stolen token. Only a verifier
/// looks inside.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RawToken<'a>(&'a str);

impl<'a> RawToken<'a> {
    /// Wraps the text as it came.
    #[must_use]
    pub const fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The text, for a verifier.
    #[must_use]
    pub const fn untrusted(&self) -> &'a str {
        self.0
    }
}

impl fmt::Debug for RawToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawToken([{} bytes])", self.0.len())
    }
}
