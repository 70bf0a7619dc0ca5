//! Plaintexts padded to buckets, so that lengths and nulls hide among equals.

use crate::{Error, ErrorKind, cell::MAX_PADDED};

/// To a multiple of how many bytes a column's values are padded.
///
/// # Security
/// Null and all values of the same padded length look alike. A bucket below the column's longest value leaks size classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bucket(u16);

impl Bucket {
    /// No padding beyond the two bytes that every plaintext has.
    pub const ONE: Self = Self(1);

    /// A bucket of 1 to 65,535 bytes.
    #[must_use]
    pub const fn new(bytes: u16) -> Option<Self> {
        if bytes == 0 { None } else { Some(Self(bytes)) }
    }

    /// A bucket from a literal.
    ///
    /// # Panics
    /// For 0: in a `const` that is a compile error.
    #[must_use]
    #[expect(clippy::panic, reason = "evaluated at compile time, where a panic is the error message")]
    pub const fn literal(bytes: u16) -> Self {
        match Self::new(bytes) {
            Some(bucket) => bucket,
            None => panic!("a bucket has at least one byte"),
        }
    }

    /// Its size in bytes.
    #[must_use]
    pub const fn bytes(self) -> u16 {
        self.0
    }

    /// How long a value of this length becomes.
    ///
    /// # Errors
    /// [`ErrorKind::TooLong`] when that is over 65,536 bytes.
    pub fn padded_len(self, value: usize) -> Result<usize, Error> {
        value
            .checked_add(2)
            .and_then(|least| least.checked_next_multiple_of(usize::from(self.0)))
            .filter(|padded| *padded <= MAX_PADDED)
            .ok_or_else(|| ErrorKind::TooLong.into())
    }
}

/// Writes `kind ‖ value ‖ 0x80 ‖ zeros` into a place of the padded length, which holds zeros.
pub(crate) fn pad_into(place: &mut [u8], value: Option<&[u8]>) {
    let bytes = value.unwrap_or_default();
    let plain = [u8::from(value.is_some())];
    for (to, from) in place.iter_mut().zip(plain.iter().chain(bytes).chain(&[MARK])) {
        *to = *from;
    }
}

/// The value of a padded plaintext: nothing for null.
///
/// # Errors
/// [`ErrorKind::Integrity`] for anything that [`pad_into`] would not have written in some bucket.
pub(crate) fn unpad(padded: &[u8]) -> Result<Option<&[u8]>, Error> {
    let unpadded = match padded {
        [kind, rest @ ..] => {
            let end = rest.iter().rposition(|byte| *byte != 0);
            match end.and_then(|end| rest.split_at_checked(end)) {
                Some((value, [MARK, ..])) => Some((*kind, value)),
                _ => None,
            }
        }
        [] => None,
    };
    match unpadded {
        Some((0, [])) => Ok(None),
        Some((1, value)) => Ok(Some(value)),
        _ => Err(ErrorKind::Integrity.into()),
    }
}

const MARK: u8 = 0x80;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn padded(value: Option<&[u8]>, bucket: u16) -> Vec<u8> {
        let length = Bucket::literal(bucket).padded_len(value.map_or(0, <[u8]>::len)).unwrap();
        let mut place = vec![0; length];
        pad_into(&mut place, value);
        place
    }

    #[test]
    fn padding_reaches_the_next_bucket_and_no_further() {
        for (value, bucket, length) in [
            (0, 1, 2),
            (11, 1, 13),
            (14, 16, 16),
            (15, 16, 32),
            (0, 16, 16),
            (65_534, 1, 65_536),
            (65_534, 32_768, 65_536),
        ] {
            assert_eq!(Bucket::literal(bucket).padded_len(value).unwrap(), length);
        }
        for (value, bucket) in [(65_535, 1), (usize::MAX, 1), (40_000, 40_000), (65_534, 65_535)] {
            assert_eq!(Bucket::literal(bucket).padded_len(value).unwrap_err().kind(), ErrorKind::TooLong);
        }
        assert!(Bucket::new(0).is_none());
    }

    #[test]
    fn null_and_values_of_a_bucket_are_of_one_length() {
        let lengths =
            [None, Some(&b""[..]), Some(b"x"), Some(b"078-05-1120")].map(|value| padded(value, 16).len());
        assert_eq!(lengths, [16; 4]);
    }

    #[test]
    fn bytes_are_those_of_the_format() {
        assert_eq!(padded(None, 4), [0, 0x80, 0, 0]);
        assert_eq!(padded(Some(b""), 4), [1, 0x80, 0, 0]);
        assert_eq!(padded(Some(&[0x80, 0]), 1), [1, 0x80, 0, 0x80]);
    }

    #[test]
    fn bad_padding_is_refused() {
        let bad: [&[u8]; 11] = [
            &[],
            &[1],
            &[0x80],
            &[1, 0],
            &[1, 0, 0],
            &[1, 0x81],
            &[2, 0x80],
            &[0xff, 0x80],
            &[0, 7, 0x80],
            &[0, 0x80, 0x80],
            &[1, 5, 0x80, 0, 1],
        ];
        for bytes in bad {
            assert_eq!(unpad(bytes).unwrap_err().kind(), ErrorKind::Integrity, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn padding_comes_off_again(
            value in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..100)),
            bucket in 1_u16..200,
        ) {
            let padded = padded(value.as_deref(), bucket);
            prop_assert_eq!(unpad(&padded).unwrap(), value.as_deref());
        }
    }
}
