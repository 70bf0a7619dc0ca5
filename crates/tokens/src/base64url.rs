//! base64url without padding (RFC 4648 §5, RFC 7515 §2), canonical only.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::names;

/// Length of what `encoded` characters decode to, or nothing when no text has that length.
pub(crate) const fn decoded_len(encoded: usize) -> Option<usize> {
    let whole = encoded / 4 * 3;
    match encoded % 4 {
        0 => Some(whole),
        2 => Some(whole + 1),
        3 => Some(whole + 2),
        _ => None,
    }
}

pub(crate) const fn encoded_len(decoded: usize) -> usize {
    let whole = decoded / 3 * 4;
    match decoded % 3 {
        0 => whole,
        1 => whole + 2,
        _ => whole + 3,
    }
}

/// Decodes into a buffer of exactly the right length.
///
/// SECURITY: padding, white space, `+`, `/` and set bits behind the last byte are refused, so that one text has one encoding.
pub(crate) fn decode_into(encoded: &str, decoded: &mut [u8]) -> Option<()> {
    if decoded_len(encoded.len()) != Some(decoded.len()) {
        return None;
    }
    let (blocks, rest) = encoded.as_bytes().as_chunks();
    let (places, last) = decoded.as_chunks_mut();
    let mut lowest = [u8::MAX; BLOCK];
    for (place, block) in places.iter_mut().zip(blocks) {
        *place = decode_block(block, &mut lowest);
    }
    // The rest is filled up with letters of the value zero: whatever is not zero behind the last byte was set in the rest.
    let mut block = [b'A'; BLOCK];
    block.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let bytes = Zeroizing::new(decode_block(&block, &mut lowest));
    let (bytes, behind) = bytes.split_at_checked(last.len())?;
    last.copy_from_slice(bytes);
    let is_canonical = behind.iter().all(|byte| *byte == 0) && !lowest.contains(&0);
    is_canonical.then_some(())
}

/// Characters that are decoded at a time.
const BLOCK: usize = 16;

/// What sixteen characters decode to. A character that is none of ours leaves a zero in `lowest`.
///
/// Without a table and without a branch: nothing about a secret shows in the time, and the compiler looks at all sixteen
/// characters at once.
#[inline(always)]
fn decode_block(block: &[u8; BLOCK], lowest: &mut [u8; BLOCK]) -> [u8; 12] {
    let mut values = [0; BLOCK];
    for ((value, lowest), character) in values.iter_mut().zip(lowest).zip(block) {
        let more = value_and_one(*character);
        *lowest = (*lowest).min(more);
        *value = more.wrapping_sub(1);
    }
    let (first, second) = values.split_at(8);
    let (first, second) = (joined(first), joined(second));
    let mut bytes = [0; 12];
    let (high, low) = bytes.split_at_mut(8);
    high.copy_from_slice(&(first << 16 | second >> 32).to_be_bytes());
    low.copy_from_slice(&(second as u32).to_be_bytes());
    bytes
}

/// The value of a character and one, or zero for a character that has none.
#[inline(always)]
const fn value_and_one(c: u8) -> u8 {
    const fn mask(yes: bool) -> u8 {
        (yes as u8).wrapping_neg()
    }
    mask(c.wrapping_sub(b'A') < 26) & c.wrapping_sub(b'A' - 1)
        | mask(c.wrapping_sub(b'a') < 26) & c.wrapping_sub(b'a' - 27)
        | mask(c.wrapping_sub(b'0') < 10) & c.wrapping_sub(b'0').wrapping_add(53)
        | mask(c == b'-') & 63
        | mask(c == b'_') & 64
}

/// Eight values of six bits as one of 48.
#[inline(always)]
fn joined(values: &[u8]) -> u64 {
    let eight = u64::from_be_bytes(values.first_chunk().copied().unwrap_or_default());
    let four = (eight & 0x3f00_3f00_3f00_3f00) >> 2 | eight & 0x003f_003f_003f_003f;
    let two = (four & 0x0fff_0000_0fff_0000) >> 4 | four & 0x0000_0fff_0000_0fff;
    (two & 0x00ff_ffff_0000_0000) >> 8 | two & 0x00ff_ffff
}

pub(crate) fn decode(encoded: &str) -> Option<Vec<u8>> {
    let mut decoded = vec![0; decoded_len(encoded.len())?];
    decode_into(encoded, &mut decoded)?;
    Some(decoded)
}

/// The same for a secret.
pub(crate) fn decode_secret(encoded: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut decoded = Zeroizing::new(vec![0; decoded_len(encoded.len())?]);
    decode_into(encoded, &mut decoded)?;
    Some(decoded)
}

/// Appends. Never reallocates when `out` has room for [`encoded_len`] more, and leaves no copy elsewhere.
pub(crate) fn encode_onto(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + encoded_len(bytes.len()), 0);
    // INVARIANT(encoded-len): the place has the length that the encoding fills, so this does not fail.
    let written = out.get_mut(start..).map(|place| URL_SAFE_NO_PAD.encode_slice(bytes, place));
    debug_assert!(matches!(written, Some(Ok(length)) if start + length == out.len()));
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(encoded_len(bytes.len()));
    encode_onto(bytes, &mut out);
    names::text(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc_4648_vectors() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(plain.as_bytes()), encoded);
            assert_eq!(decode(encoded).unwrap(), plain.as_bytes());
        }
        assert_eq!(decode("-_8").unwrap(), [0xfb, 0xff]);
    }

    #[test]
    fn a_second_spelling_of_the_same_bytes_is_refused() {
        for bad in [
            "Zg==", "Zg=", "Zh", "Zm9", "Zm8=", "Zm9v====", "Z", "Zm9vY", "+_8", "-/8", " Zg", "Zg ", "Z g",
            "Zg\n", "Zg\r\n", "Zg\0", "Zg.", "Zé", "====",
        ] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn what_decodes_encodes_to_the_same_text(text in "[A-Za-z0-9_=+/ -]{0,24}") {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }

        #[test]
        fn what_is_encoded_decodes(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let encoded = encode(&bytes);
            prop_assert_eq!(encoded.len(), encoded_len(bytes.len()));
            prop_assert_eq!(decode(&encoded), Some(bytes));
        }
    }
}
