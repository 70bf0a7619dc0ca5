//! A sealed value as bytes and as text: taken apart, and nothing believed yet.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{Error, ErrorKind, KeyId};

/// Longest padded plaintext of a cell, in bytes.
pub const MAX_PADDED: usize = 65_536;

/// Longest cell, in bytes.
pub const MAX_CELL: usize = HEADER + MAX_PADDED + TAG;

/// Bytes that a cell has more than its value, at bucket 1.
pub const OVERHEAD: usize = HEADER + 2 + TAG;

/// What the text form of a cell starts with.
pub const TEXT_PREFIX: &str = "bz1_";

pub(crate) const HEADER: usize = 70;
pub(crate) const TAG: usize = 16;
pub(crate) const AUTHENTICATED: usize = 14;
pub(crate) const SALT: usize = 24;
pub(crate) const SUITE: u8 = 1;
pub(crate) const SEAL_ORDINAL: u16 = 0xFFFF;
const MAGIC: u8 = 0xFB;
const VERSION: u8 = 1;

/// One sealed value, taken apart. Nothing of it is believed before it is opened.
///
/// | offset | length | field |
/// |---|---|---|
/// | 0 | 1 | `0xFB` |
/// | 1 | 1 | version, 1 |
/// | 2 | 1 | suite, 1: AES-256-GCM, HKDF-SHA-256, commitment of 32 bytes |
/// | 3 | 1 | flags, 0 |
/// | 4 | 8 | key id |
/// | 12 | 2 | ordinal, big endian |
/// | 14 | 24 | salt, the same in all cells of one write |
/// | 38 | 32 | commitment |
/// | 70 | n | ciphertext |
/// | 70 + n | 16 | tag |
#[derive(Clone, Copy)]
pub struct Cell<'a> {
    header: &'a [u8; HEADER],
    ciphertext: &'a [u8],
    tag: &'a [u8; TAG],
}

impl<'a> Cell<'a> {
    /// Takes bytes apart.
    ///
    /// # Errors
    /// [`ErrorKind::TooLong`] over [`MAX_CELL`] bytes, before anything else is looked at; [`ErrorKind::Format`] for too few
    /// bytes, another first byte, an unknown version or suite, or any flag.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_CELL {
            return Err(ErrorKind::TooLong.into());
        }
        Self::parsed(bytes).ok_or_else(|| ErrorKind::Format.into())
    }

    fn parsed(bytes: &'a [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG>()?;
        // The shortest plaintext is a kind byte and the padding mark.
        let fits = matches!(header, [MAGIC, VERSION, SUITE, 0, ..]) && ciphertext.len() >= 2;
        fits.then_some(Self { header, ciphertext, tag })
    }

    /// Decodes the text form, `bz1_` and base64url without padding.
    ///
    /// The bytes are a well-formed cell: [`Cell::parse`] takes them.
    ///
    /// # Errors
    /// [`ErrorKind::Format`] for another prefix, padding, white space or stray bits, and as [`Cell::parse`].
    pub fn decode_text(text: &str) -> Result<Vec<u8>, Error> {
        let encoded = text.strip_prefix(TEXT_PREFIX).ok_or(ErrorKind::Format)?;
        if encoded.len() > MAX_CELL.div_ceil(3) * 4 {
            return Err(ErrorKind::TooLong.into());
        }
        // SECURITY: strict decoding (RFC 4648 section 3.5), so that a cell has one text form only.
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| ErrorKind::Format)?;
        Cell::parse(&bytes)?;
        Ok(bytes)
    }

    /// The text form.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::from(TEXT_PREFIX);
        URL_SAFE_NO_PAD.encode_string(self.to_bytes(), &mut text);
        text
    }

    /// The bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.header.as_slice(), self.ciphertext, self.tag].concat()
    }

    /// Which key sealed it, as it says itself.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        KeyId::from_bytes(self.field(4))
    }

    /// Its number within the write; `0xFFFF` for a record seal.
    #[must_use]
    pub fn ordinal(&self) -> u16 {
        u16::from_be_bytes(self.field(12))
    }

    /// Whether it says that it is a record seal.
    #[must_use]
    pub fn is_record_seal(&self) -> bool {
        self.ordinal() == SEAL_ORDINAL
    }

    /// The salt of its write.
    #[must_use]
    pub fn salt(&self) -> [u8; SALT] {
        self.field(14)
    }

    /// Length of its padded plaintext, in bytes.
    #[must_use]
    pub const fn padded_len(&self) -> usize {
        self.ciphertext.len()
    }

    pub(crate) fn commitment(&self) -> [u8; 32] {
        self.field(38)
    }

    pub(crate) const fn header(&self) -> &'a [u8; HEADER] {
        self.header
    }

    pub(crate) const fn ciphertext(&self) -> &'a [u8] {
        self.ciphertext
    }

    pub(crate) const fn tag(&self) -> &'a [u8; TAG] {
        self.tag
    }

    pub(crate) fn nonce(&self) -> [u8; 12] {
        nonce(self.ordinal())
    }

    /// INVARIANT(cell-header): the header has 70 bytes and all fields lie within.
    fn field<const N: usize>(&self, at: usize) -> [u8; N] {
        self.header.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
    }
}

/// Cells are not secret, but nobody reads 100 bytes of them in a log: only the header's plain part is shown.
impl fmt::Debug for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cell")
            .field("key_id", &self.key_id())
            .field("ordinal", &self.ordinal())
            .field("padded_len", &self.padded_len())
            .finish_non_exhaustive()
    }
}

/// Ten zero bytes and the ordinal.
pub(crate) const fn nonce(ordinal: u16) -> [u8; 12] {
    let [high, low] = ordinal.to_be_bytes();
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low]
}

/// The bytes before the salt.
pub(crate) fn authenticated(key: KeyId, ordinal: u16) -> [u8; AUTHENTICATED] {
    let [a, b, c, d, e, f, g, h] = *key.as_bytes();
    let [high, low] = ordinal.to_be_bytes();
    [MAGIC, VERSION, SUITE, 0, a, b, c, d, e, f, g, h, high, low]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(padded: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = authenticated(KeyId::from_bytes([9; 8]), 0x0102).to_vec();
        bytes.extend((14..70).map(|at| at as u8));
        bytes.extend(vec![0xAA; padded + TAG]);
        bytes
    }

    #[test]
    fn fields_stand_at_their_offsets() {
        let bytes = bytes(2);
        let cell = Cell::parse(&bytes).unwrap();
        assert_eq!(cell.key_id().as_bytes(), &[9; 8]);
        assert_eq!((cell.ordinal(), cell.is_record_seal(), cell.padded_len()), (0x0102, false, 2));
        assert_eq!((cell.salt()[0], cell.salt()[23]), (14, 37));
        assert_eq!((cell.commitment()[0], cell.commitment()[31]), (38, 69));
        assert_eq!(cell.nonce(), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(cell.to_bytes(), bytes);
        assert_eq!(bytes.len(), OVERHEAD);
    }

    #[test]
    fn every_truncation_below_the_shortest_cell_is_refused() {
        let bytes = bytes(2);
        for length in 0..bytes.len() {
            assert_eq!(Cell::parse(&bytes[..length]).unwrap_err().kind(), ErrorKind::Format, "{length}");
        }
    }

    #[test]
    fn the_longest_cell_parses_and_one_byte_more_does_not() {
        assert!(Cell::parse(&bytes(MAX_PADDED)).is_ok());
        assert_eq!(Cell::parse(&bytes(MAX_PADDED + 1)).unwrap_err().kind(), ErrorKind::TooLong);
    }

    #[test]
    fn every_other_magic_version_suite_and_flag_is_refused() {
        for at in 0..4 {
            for byte in 0..=255 {
                let mut changed = bytes(2);
                let same = changed[at] == byte;
                changed[at] = byte;
                assert_eq!(Cell::parse(&changed).is_ok(), same, "byte {at} is {byte}");
            }
        }
    }

    #[test]
    fn text_is_decoded_strictly() {
        let bytes = bytes(2);
        let text = Cell::parse(&bytes).unwrap().to_text();
        assert_eq!(Cell::decode_text(&text).unwrap(), bytes);
        let stray = {
            // 88 bytes leave four unused bits in the last letter: the encoder writes them as zeros.
            let mut letters = text.clone().into_bytes();
            let last = letters.last_mut().unwrap();
            *last += 1;
            String::from_utf8(letters).unwrap()
        };
        let bad = [
            text.replacen("bz1_", "bz2_", 1),
            text.replacen("bz1_", "BZ1_", 1),
            text[4..].to_owned(),
            format!("{text}="),
            format!("{text}=="),
            format!("{text}\n"),
            format!(" {text}"),
            format!("{} {}", &text[..20], &text[20..]),
            text.replacen('-', "+", 1).replacen('_', "/", 2),
            stray,
            "bz1_".to_owned(),
            String::new(),
        ];
        for (at, text) in bad.iter().enumerate() {
            assert_eq!(Cell::decode_text(text).unwrap_err().kind(), ErrorKind::Format, "{at}");
        }
        let long = format!("bz1_{}", "A".repeat(200_000));
        assert_eq!(Cell::decode_text(&long).unwrap_err().kind(), ErrorKind::TooLong);
    }

    proptest! {
        #[test]
        fn parse_takes_any_bytes_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Cell::parse(&bytes);
        }

        #[test]
        fn what_parses_is_written_back_the_same(tail in proptest::collection::vec(any::<u8>(), 76..300)) {
            let mut bytes = vec![0xFB, 1, 1, 0];
            bytes.extend(tail);
            if let Ok(cell) = Cell::parse(&bytes) {
                prop_assert_eq!(cell.to_bytes(), bytes.clone());
                prop_assert_eq!(Cell::decode_text(&cell.to_text()).unwrap(), bytes);
            }
        }

        #[test]
        fn text_takes_any_text_without_a_panic(text in "(bz1_)?[A-Za-z0-9_=+/ -]{0,200}") {
            let _ = Cell::decode_text(&text);
        }
    }
}
