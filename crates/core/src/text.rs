//! A short text that usually lives without an allocation.

use std::fmt;

const INLINE: usize = 62;

/// Up to 62 bytes in place, longer ones on the heap. A grant holds tenant, kind and id in it, so that a decision costs no
/// allocation for the names that services use (a UUID has 36 bytes).
pub(crate) enum Text {
    Inline { length: u8, bytes: [u8; INLINE] },
    Heap(Box<str>),
}

impl Text {
    pub(crate) fn new(text: &str) -> Self {
        let mut bytes = [0; INLINE];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(text.as_bytes());
                Self::Inline { length, bytes }
            }
            _ => Self::Heap(text.into()),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            // INVARIANT(text-inline): `bytes[..length]` was copied from a `str`, so both steps succeed.
            Self::Inline { length, bytes } => bytes
                .get(..usize::from(*length))
                .and_then(|b| std::str::from_utf8(b).ok())
                .unwrap_or_default(),
            Self::Heap(text) => text,
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        match self {
            Self::Inline { length, bytes } => bytes.get(..usize::from(*length)) == Some(other.as_bytes()),
            Self::Heap(text) => **text == *other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_reads_back() {
        for length in 0..200 {
            let text = "é".repeat(length / 2) + if length % 2 == 1 { "x" } else { "" };
            assert_eq!(Text::new(&text).as_str(), text);
            assert!(Text::new(&text) == *text);
            assert!(Text::new(&text) != *format!("{text}y"));
        }
    }
}
