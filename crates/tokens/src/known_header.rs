//! Headers of tokens that verified before. An issuer writes the same header into every token of a key: the exact encoded
//! text says again what it said then, so that it need not be decoded and read again.
//!
//! It saves reading and nothing else. Signature, type and every claim are checked as for any token.

use std::sync::OnceLock;

use crate::{
    Limits, VerifyingKey,
    header::{Buffer, Header},
};

/// Some headers of tokens that one set of keys verified. Readers and writers never lock and never wait.
///
/// SECURITY: it lives and ends with the snapshot of the keys that it speaks of, so that it never selects a key that has gone.
#[derive(Default)]
pub(crate) struct KnownHeaders {
    /// Filled from the front. Once it is full it stays as it is, and other headers are read anew each time: an issuer that
    /// writes another header into every token costs no more than these.
    places: [OnceLock<KnownHeader>; PLACES],
}

/// As many keys as an issuer signs with at a time, and some.
const PLACES: usize = 8;

/// Longest header that is kept, in encoded bytes.
const MAX_HEADER: usize = 512;

/// What a header that stood in a verified token says.
pub(crate) struct KnownHeader {
    encoded: Box<str>,
    /// Another verifier of the same keys may be stricter.
    limits: HeaderLimits,
    pub(crate) key: VerifyingKey,
    pub(crate) typ: Option<Box<str>>,
}

/// Those limits that a header is held to.
#[derive(Clone, Copy, PartialEq, Eq)]
struct HeaderLimits {
    depth: usize,
    kid: usize,
}

impl HeaderLimits {
    const fn of(limits: &Limits) -> Self {
        Self { depth: limits.depth, kid: limits.kid }
    }
}

impl KnownHeaders {
    /// The header of exactly this text, if a token with it verified under these limits.
    pub(crate) fn find(&self, encoded: &str, limits: &Limits) -> Option<&KnownHeader> {
        let limits = HeaderLimits::of(limits);
        let mut known = self.places.iter().map_while(OnceLock::get);
        known.find(|known| *known.encoded == *encoded && known.limits == limits)
    }

    /// Keeps the header of a token.
    ///
    /// SECURITY: to be called for tokens alone that were verified to the last claim, with the key that did so.
    pub(crate) fn remember(&self, encoded: &str, limits: &Limits, key: &VerifyingKey) {
        let Some(place) = self.places.iter().find(|place| place.get().is_none()) else {
            return;
        };
        if encoded.len() > MAX_HEADER || self.find(encoded, limits).is_some() {
            return;
        }
        // It was read once before, when the token was verified: that it is read twice happens a few times in a key's life.
        let mut buffer = Buffer::new();
        let Ok(header) = Header::decode(encoded, &mut buffer, limits) else {
            return;
        };
        // Two threads may meet here: one of them keeps its header, and the other one's token is read anew the next time.
        let _ = place.set(KnownHeader {
            encoded: encoded.into(),
            limits: HeaderLimits::of(limits),
            key: key.clone(),
            typ: header.typ.as_deref().map(Into::into),
        });
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.places.iter().map_while(OnceLock::get).count()
    }
}

#[cfg(test)]
mod tests;
