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

/// How many of these bytes stand before the first quote, if there is one among them. All are ASCII.
#[inline(always)]
pub(crate) const fn before_quote(bytes: [u8; 8]) -> Option<usize> {
    let others = u64::from_le_bytes(bytes) ^ (LOW * b'"' as u64);
    // As above: a borrow spoils nothing below the first that is found.
    let quotes = others.wrapping_sub(LOW) & HIGH;
    match quotes {
        0 => None,
        _ => Some(quotes.trailing_zeros() as usize / 8),
    }
}

/// The number that eight digits are, if all are digits.
#[inline(always)]
pub(crate) const fn eight_digits(bytes: [u8; 8]) -> Option<u64> {
    let text = u64::from_le_bytes(bytes);
    // A digit has 3 in its high half, also when six is added to it; no other byte has both.
    let halves = (text & (LOW * 0xf0)) | ((text.wrapping_add(LOW * 0x06) & (LOW * 0xf0)) >> 4);
    if halves != LOW * 0x33 {
        return None;
    }
    // Digits to pairs, pairs to fours, fours to eight; the first digit is the lowest byte.
    let digits = text & (LOW * 0x0f);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let first = (pairs & 0xff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let second = ((pairs >> 16) & 0xff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    Some(first.wrapping_add(second) >> 32)
}

/// Whether a text is of printable ASCII alone, without a backslash. Looked at without a branch, so that it goes by many bytes at
/// a time.
pub(crate) fn is_plain(text: &str) -> bool {
    let (mut most, mut has_backslash) = (0, false);
    for byte in text.bytes() {
        most = byte.wrapping_sub(b' ').max(most);
        has_backslash |= byte == b'\\';
    }
    most <= b'~' - b' ' && !has_backslash
}

/// Whether a text is of printable ASCII alone.
pub(crate) fn is_printable_ascii(text: &str) -> bool {
    all(text, |eight| eight.controls | eight.unusual == 0)
}

/// Whether a text is of printable ASCII alone and stands in a JSON string as it is.
pub(crate) fn is_printable_and_needs_no_escape(text: &str) -> bool {
    all(text, |eight| eight.ends | eight.unusual == 0)
}

/// Whether a text stands in a JSON string as it is (RFC 8259 §7).
pub(crate) fn needs_no_escape(text: &str) -> bool {
    all(text, |eight| eight.ends == 0)
}

#[inline(always)]
fn all(text: &str, is: impl Fn(Eight) -> bool) -> bool {
    let bytes = text.as_bytes();
    let Some(last) = bytes.last_chunk::<8>() else {
        // Spaces are as good as nothing.
        let mut few = [b' '; 8];
        few.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        return is(Eight::of(few));
    };
    // The last eight may be looked at twice in part.
    let (eights, _) = bytes.as_chunks::<8>();
    eights.iter().fold(is(Eight::of(*last)), |all, eight| all & is(Eight::of(*eight)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_quote_is_found() {
        for place in 0..8 {
            for byte in 0..0x80 {
                for behind in [b'"', b'#', b'!', b'x'] {
                    let mut bytes = [behind; 8];
                    bytes[..place].fill(b'!');
                    bytes[place] = byte;
                    let first = bytes.iter().position(|byte| *byte == b'"');
                    assert_eq!(before_quote(bytes), first, "{bytes:?}");
                }
            }
        }
    }

    #[test]
    fn digits_are_the_number_that_they_are_written_for() {
        for number in [0, 1, 9, 10, 12_345_678, 87_654_321, 99_999_999, 10_203_040, 90_000_009] {
            assert_eq!(eight_digits(format!("{number:08}").into_bytes().try_into().unwrap()), Some(number));
        }
        for place in 0..8 {
            for byte in 0..=255 {
                let mut bytes = *b"12345678";
                bytes[place] = byte;
                let read = std::str::from_utf8(&bytes).ok().filter(|_| byte.is_ascii_digit());
                assert_eq!(eight_digits(bytes), read.map(|text| text.parse().unwrap()), "{bytes:?}");
            }
        }
    }

    #[test]
    fn every_byte_at_every_place_is_told() {
        for length in 0..20 {
            for place in 0..length {
                for c in (0..0x80).map(char::from).chain(['é', '\u{2028}', '\u{10ffff}']) {
                    let mut text = "a".repeat(length);
                    text.replace_range(place..=place, &c.to_string());
                    assert_eq!(is_printable_ascii(&text), matches!(c, ' '..='~'), "{text:?}");
                    assert_eq!(is_plain(&text), c != '\\' && is_printable_ascii(&text), "{text:?}");
                    let is_plain_string = is_printable_ascii(&text) && needs_no_escape(&text);
                    assert_eq!(is_printable_and_needs_no_escape(&text), is_plain_string, "{text:?}");
                    assert_eq!(needs_no_escape(&text), !matches!(c, '"' | '\\' | '\0'..' '), "{text:?}");
                }
            }
        }
    }
}
