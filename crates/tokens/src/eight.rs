//! Bytes of text looked at eight at a time.

/// Eight bytes. The lowest is the first.
#[derive(Clone, Copy)]
pub(crate) struct Eight {
    /// The high bit of the first quote, backslash or control character; above it anything.
    ends: u64,
    /// The high bit of the first control character; above it anything.
    controls: u64,
    /// The high bit of every byte that is DEL or not ASCII.
    unusual: u64,
}

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

impl Eight {
    #[inline(always)]
    pub(crate) const fn of(bytes: [u8; 8]) -> Self {
        let bytes = u64::from_le_bytes(bytes);
        // What is taken from a smaller byte borrows, which sets its high bit. The borrow spoils the bytes above it, never those
        // below, so that the lowest bit found is right.
        let quote = (bytes ^ (LOW * b'"' as u64)).wrapping_sub(LOW);
        let backslash = (bytes ^ (LOW * b'\\' as u64)).wrapping_sub(LOW);
        let control = bytes.wrapping_sub(LOW * 0x20);
        Self {
            ends: (quote | backslash | control) & !bytes & HIGH,
            controls: control & !bytes & HIGH,
            // DEL and one is no longer ASCII. Only 0xff would carry, and there is none in UTF-8.
            unusual: (bytes | bytes.wrapping_add(LOW)) & HIGH,
        }
    }

    /// Whether there is a quote, a backslash or a control character.
    #[inline(always)]
    pub(crate) const fn has_end(self) -> bool {
        self.ends != 0
    }

    /// How many bytes stand before the first of these.
    #[inline(always)]
    pub(crate) const fn before_end(self) -> usize {
        self.ends.trailing_zeros() as usize / 8
    }

    /// Whether all before it are printable ASCII.
    #[inline(always)]
    pub(crate) const fn is_printable_before_end(self) -> bool {
        let before_end = self.ends.wrapping_sub(1) & !self.ends;
        self.unusual & before_end == 0
    }
}

/// Whether a text is of printable ASCII alone.
pub(crate) fn is_printable_ascii(text: &str) -> bool {
    all(text, |eight| eight.controls | eight.unusual == 0)
}

/// Whether a text stands in a JSON string as it is (RFC 8259 §7).
pub(crate) fn needs_no_escape(text: &str) -> bool {
    all(text, |eight| eight.ends == 0)
}

#[inline(always)]
fn all(text: &str, is: impl Fn(Eight) -> bool) -> bool {
    let (eights, rest) = text.as_bytes().as_chunks::<8>();
    // Spaces are as good as nothing.
    let mut last = [b' '; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    eights.iter().fold(is(Eight::of(last)), |all, eight| all & is(Eight::of(*eight)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_is_told() {
        for length in 0..20 {
            for place in 0..length {
                for c in (0..0x80).map(char::from).chain(['é', '\u{2028}', '\u{10ffff}']) {
                    let mut text = "a".repeat(length);
                    text.replace_range(place..=place, &c.to_string());
                    assert_eq!(is_printable_ascii(&text), matches!(c, ' '..='~'), "{text:?}");
                    assert_eq!(needs_no_escape(&text), !matches!(c, '"' | '\\' | '\0'..' '), "{text:?}");
                }
            }
        }
    }
}
