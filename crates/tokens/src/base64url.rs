//! base64url without padding (RFC 4648 §5, RFC 7515 §2), canonical only.

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::NO_PAD};
use zeroize::Zeroizing;

use crate::names;

/// Which instructions the processor has is asked once.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static ENGINE: LazyLock<base64::engine::Simd> = LazyLock::new(|| base64::engine::Simd::url_safe(NO_PAD));

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
static ENGINE: LazyLock<base64::engine::GeneralPurpose> =
    LazyLock::new(|| base64::engine::GeneralPurpose::new(&base64::alphabet::URL_SAFE, NO_PAD));

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
    if let Ok(tag) = <&mut [u8; TAG]>::try_from(&mut *decoded) {
        return decode_tag(encoded, tag);
    }
    let written = ENGINE.decode_slice(encoded, decoded).ok()?;
    (written == decoded.len()).then_some(())
}

/// Bytes of a tag of HMAC-SHA-256.
const TAG: usize = 32;

/// The engine takes many characters at a time only of texts that have 64. So this many zeros stand before a shorter one.
const ZEROS: usize = 24;

/// The same for a text of 43 characters, which every token of HS256 has: in half the time.
fn decode_tag(encoded: &str, tag: &mut [u8; TAG]) -> Option<()> {
    let (mut text, mut bytes) = ([b'A'; ZEROS + encoded_len(TAG)], [0; ZEROS / 4 * 3 + TAG]);
    text.get_mut(ZEROS..)?.copy_from_slice(encoded.as_bytes());
    let written = ENGINE.decode_slice(text, &mut bytes).ok()?;
    tag.copy_from_slice(bytes.get(ZEROS / 4 * 3..)?);
    (written == bytes.len()).then_some(())
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
    let written = out.get_mut(start..).map(|place| ENGINE.encode_slice(bytes, place));
    debug_assert!(matches!(written, Some(Ok(length)) if start + length == out.len()));
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(encoded_len(bytes.len()));
    encode_onto(bytes, &mut out);
    names::text(out)
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
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

    /// Both sides of every block's end, and every byte at every place.
    #[test]
    fn every_byte_at_every_place_is_judged_as_by_the_scalar_engine() {
        for length in (0..50).chain(62..67).chain(94..99) {
            let good = "-_09azAZ".repeat(13);
            for place in 0..length {
                for byte in 0..0x80 {
                    let mut text = good.as_bytes()[..length].to_vec();
                    text[place] = byte;
                    let text = String::from_utf8(text).unwrap();
                    assert_eq!(decode(&text), URL_SAFE_NO_PAD.decode(&text).ok(), "{text:?}");
                }
            }
        }
        for bad in ["é".repeat(8), "A".repeat(15) + "é", "é".into()] {
            assert_eq!(decode(&bad), None);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn any_text_is_judged_as_by_the_scalar_engine(text in "[A-Za-z0-9_-]{0,600}|[A-Za-z0-9_+/=-]{0,80}|\\PC{0,40}") {
            prop_assert_eq!(decode(&text), URL_SAFE_NO_PAD.decode(&text).ok());
        }

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
