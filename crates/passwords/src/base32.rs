//! Base32 of secrets: the alphabet of RFC 4648 for apps, Crockford's for people.

use bartizan_core::{SecretBytes, SecretText};
use zeroize::Zeroizing;

/// RFC 4648 section 6, without padding.
pub(crate) fn encode(bytes: &[u8]) -> SecretText {
    encode_with(RFC_4648, bytes)
}

/// The same with Crockford's alphabet, in which no character looks like another.
pub(crate) fn encode_crockford(bytes: &[u8]) -> SecretText {
    encode_with(CROCKFORD, bytes)
}

/// Reads RFC 4648 section 6, without padding, in upper case: one secret, one text.
pub(crate) fn decode(text: &str) -> Option<SecretBytes> {
    decode_with(RFC_4648, text.bytes())
}

/// Reads Crockford's alphabet as people write it: either case, O for 0, I and L for 1.
pub(crate) fn decode_crockford(letters: impl Iterator<Item = u8>) -> Option<SecretBytes> {
    let read = letters.map(|letter| match letter.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    });
    decode_with(CROCKFORD, read)
}

fn encode_with(alphabet: &[u8; 32], bytes: &[u8]) -> SecretText {
    let mut text = String::with_capacity((8 * bytes.len()).div_ceil(5));
    let (mut held, mut bits) = (0_u16, 0_u32);
    for byte in bytes {
        held = held << 8 | u16::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(letter(alphabet, held >> bits));
        }
    }
    if bits > 0 {
        text.push(letter(alphabet, held << (5 - bits)));
    }
    SecretText::new(text)
}

fn letter(alphabet: &[u8; 32], number: u16) -> char {
    alphabet.get(usize::from(number & 31)).copied().map_or('0', char::from)
}

fn decode_with(alphabet: &[u8; 32], letters: impl Iterator<Item = u8>) -> Option<SecretBytes> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES));
    let (mut held, mut bits) = (0_u16, 0_u32);
    for letter in letters {
        let number = alphabet.iter().position(|other| *other == letter)?;
        held = held << 5 | u16::try_from(number).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            // So that no growth leaves an unwiped copy behind.
            if bytes.len() == MAX_BYTES {
                return None;
            }
            bytes.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
    }
    // A letter too many, and bits that are lost, would make a second text of one secret.
    let is_whole = bits < 5 && held & ((1 << bits) - 1) == 0;
    is_whole.then(|| SecretBytes::new(std::mem::take(&mut *bytes)))
}

const RFC_4648: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Longest secret, in bytes.
const MAX_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc_4648_section_10() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(encode(bytes.as_bytes()).expose(), text);
            assert_eq!(decode(text).unwrap().expose(), bytes.as_bytes());
        }
        for refused in ["M", "MZ", "mzxw6", "MZXW6===", "MZXW61", "MZX", "MZXW6YTBO", "MY ", "MÝ"] {
            assert!(decode(refused).is_none(), "{refused}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..=MAX_BYTES)) {
            let (text, crockford) = (encode(&bytes), encode_crockford(&bytes));
            for read in [decode(text.expose()), decode_crockford(crockford.expose().bytes())] {
                prop_assert_eq!(read.as_ref().map(SecretBytes::expose), Some(bytes.as_slice()));
            }
        }

        #[test]
        fn one_secret_has_one_text(text in "[A-Z2-7]{0,40}") {
            if let Some(bytes) = decode(&text) {
                let again = encode(bytes.expose());
                prop_assert_eq!(again.expose(), text);
            }
        }
    }
}
