//! What a cell can hold, and the one way to write each value as bytes.

use std::fmt;

use bartizan_core::UnixTime;
use zeroize::Zeroizing;

use crate::{Error, ErrorKind};

/// The type of a value. It is authenticated with every cell: the number 1 is not the text `1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Type {
    /// Bytes.
    Bytes,
    /// UTF-8 text, as given: nothing is normalised.
    Text,
    /// A signed number of 64 bits.
    I64,
    /// An unsigned number of 64 bits.
    U64,
    /// True or false.
    Bool,
    /// Days since 1970-01-01.
    Date,
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    Instant,
    /// A UUID.
    Uuid,
    /// A decimal number as text, its scale kept: `-?(0|[1-9][0-9]*)(\.[0-9]+)?`, no negative zero.
    Decimal,
    /// A JSON text, as given.
    Json,
}

/// A value. There are no floating-point numbers, which have no one way to be written.
///
/// ```compile_fail
/// let weight: bartizan_envelope::Value<'_> = 71.5_f64.into();
/// ```
///
/// `Debug` shows the type and nothing of the value.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Bytes.
    Bytes(&'a [u8]),
    /// Text.
    Text(&'a str),
    /// A signed number.
    I64(i64),
    /// An unsigned number.
    U64(u64),
    /// True or false.
    Bool(bool),
    /// Days since 1970-01-01.
    Date(i32),
    /// A point in time.
    Instant(UnixTime),
    /// A UUID, as its 16 bytes.
    Uuid([u8; 16]),
    /// A decimal number; checked when it is sealed.
    Decimal(&'a str),
    /// A JSON text; not checked beyond being UTF-8 (RFC 8259 section 8.1).
    Json(&'a str),
}

/// The canonical bytes of a value; those of short types are wiped when dropped.
pub(crate) enum Canonical<'a> {
    Short { bytes: Zeroizing<[u8; 16]>, length: usize },
    Long(&'a [u8]),
}

impl Type {
    /// The tag of cell v1, 1 to 10. 0 is the record seal's and no type of a value.
    #[must_use]
    pub const fn tag(self) -> u8 {
        match self {
            Self::Bytes => 1,
            Self::Text => 2,
            Self::I64 => 3,
            Self::U64 => 4,
            Self::Bool => 5,
            Self::Date => 6,
            Self::Instant => 7,
            Self::Uuid => 8,
            Self::Decimal => 9,
            Self::Json => 10,
        }
    }

    /// The type of a tag.
    #[must_use]
    pub const fn from_tag(tag: u8) -> Option<Self> {
        Some(match tag {
            1 => Self::Bytes,
            2 => Self::Text,
            3 => Self::I64,
            4 => Self::U64,
            5 => Self::Bool,
            6 => Self::Date,
            7 => Self::Instant,
            8 => Self::Uuid,
            9 => Self::Decimal,
            10 => Self::Json,
            _ => return None,
        })
    }
}

impl<'a> Value<'a> {
    /// A point in time from seconds and nanoseconds.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] before 1677-09-21 or after 2262-04-11, which 64 bits of nanoseconds do not reach, and for
    /// `nanos` over 999,999,999.
    pub fn instant(seconds: i64, nanos: u32) -> Result<Self, Error> {
        if nanos > 999_999_999 {
            return Err(ErrorKind::Value.into());
        }
        let whole = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        i64::try_from(whole)
            .map(|nanos| Self::Instant(UnixTime::from_nanos(nanos)))
            .map_err(|_| ErrorKind::Value.into())
    }

    /// Its type.
    #[must_use]
    pub const fn kind(&self) -> Type {
        match self {
            Self::Bytes(_) => Type::Bytes,
            Self::Text(_) => Type::Text,
            Self::I64(_) => Type::I64,
            Self::U64(_) => Type::U64,
            Self::Bool(_) => Type::Bool,
            Self::Date(_) => Type::Date,
            Self::Instant(_) => Type::Instant,
            Self::Uuid(_) => Type::Uuid,
            Self::Decimal(_) => Type::Decimal,
            Self::Json(_) => Type::Json,
        }
    }

    /// Reads canonical bytes of a type back.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] for anything that [`Value::to_canonical_bytes`] would not have written.
    pub fn from_canonical_bytes(kind: Type, bytes: &'a [u8]) -> Result<Self, Error> {
        Self::read(kind, bytes).ok_or_else(|| ErrorKind::Value.into())
    }

    /// The one way to write this value as bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] for a decimal that is not canonical.
    pub fn to_canonical_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(Zeroizing::new(self.canonical()?.as_slice().to_vec()))
    }

    pub(crate) fn canonical(&self) -> Result<Canonical<'a>, Error> {
        Ok(match *self {
            Self::Bytes(bytes) => Canonical::Long(bytes),
            Self::Text(text) | Self::Json(text) => Canonical::Long(text.as_bytes()),
            Self::I64(n) => Canonical::short(&n.to_be_bytes()),
            Self::U64(n) => Canonical::short(&n.to_be_bytes()),
            Self::Bool(truth) => Canonical::short(&[u8::from(truth)]),
            Self::Date(days) => Canonical::short(&days.to_be_bytes()),
            Self::Instant(time) => Canonical::short(&time.as_nanos().to_be_bytes()),
            Self::Uuid(uuid) => Canonical::short(&uuid),
            Self::Decimal(text) if is_decimal(text.as_bytes()) => Canonical::Long(text.as_bytes()),
            Self::Decimal(_) => return Err(ErrorKind::Value.into()),
        })
    }

    fn read(kind: Type, bytes: &'a [u8]) -> Option<Self> {
        Some(match kind {
            Type::Bytes => Self::Bytes(bytes),
            Type::Text => Self::Text(std::str::from_utf8(bytes).ok()?),
            Type::I64 => Self::I64(i64::from_be_bytes(bytes.try_into().ok()?)),
            Type::U64 => Self::U64(u64::from_be_bytes(bytes.try_into().ok()?)),
            Type::Bool => match bytes {
                [0] => Self::Bool(false),
                [1] => Self::Bool(true),
                _ => return None,
            },
            Type::Date => Self::Date(i32::from_be_bytes(bytes.try_into().ok()?)),
            Type::Instant => Self::Instant(UnixTime::from_nanos(i64::from_be_bytes(bytes.try_into().ok()?))),
            Type::Uuid => Self::Uuid(bytes.try_into().ok()?),
            Type::Decimal if is_decimal(bytes) => Self::Decimal(std::str::from_utf8(bytes).ok()?),
            Type::Decimal => return None,
            Type::Json => Self::Json(std::str::from_utf8(bytes).ok()?),
        })
    }
}

impl Canonical<'_> {
    fn short(from: &[u8]) -> Self {
        let mut bytes = Zeroizing::new([0; 16]);
        bytes.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        Self::Short { bytes, length: from.len().min(16) }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Short { bytes, length } => bytes.get(..*length).unwrap_or_default(),
            Self::Long(bytes) => bytes,
        }
    }
}

/// Values are personal data: only the type is shown.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({:?})", self.kind())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

macro_rules! from_plain {
    ($($plain:ty => $variant:ident),+ $(,)?) => {$(
        impl From<$plain> for Value<'_> {
            fn from(value: $plain) -> Self {
                Self::$variant(value)
            }
        }
    )+};
}

from_plain! { i64 => I64, u64 => U64, bool => Bool, UnixTime => Instant }

/// `-?(0|[1-9][0-9]*)(\.[0-9]+)?`, and not zero with a sign.
fn is_decimal(text: &[u8]) -> bool {
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let (whole, fraction) = match rest.iter().position(|byte| *byte == b'.') {
        Some(dot) => {
            let (whole, fraction) = rest.split_at(dot);
            (whole, fraction.get(1..))
        }
        None => (rest, None),
    };
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let whole_fits = digits(whole) && (whole == b"0" || whole.first() != Some(&b'0'));
    let zero = rest.iter().all(|byte| matches!(byte, b'0' | b'.'));
    whole_fits && fraction.is_none_or(digits) && !(negative && zero)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Type; 10] = [
        Type::Bytes,
        Type::Text,
        Type::I64,
        Type::U64,
        Type::Bool,
        Type::Date,
        Type::Instant,
        Type::Uuid,
        Type::Decimal,
        Type::Json,
    ];

    #[test]
    fn canonical_bytes_are_those_of_the_format() {
        let now = UnixTime::from_nanos(-2);
        for (value, bytes) in [
            (Value::Bytes(&[0xff, 0]), &[0xff, 0][..]),
            (Value::Text("é"), "é".as_bytes()),
            (Value::I64(-2), &[255, 255, 255, 255, 255, 255, 255, 254]),
            (Value::U64(1), &[0, 0, 0, 0, 0, 0, 0, 1]),
            (Value::Bool(true), &[1]),
            (Value::Bool(false), &[0]),
            (Value::Date(-1), &[255, 255, 255, 255]),
            (Value::Instant(now), &[255, 255, 255, 255, 255, 255, 255, 254]),
            (Value::Uuid([7; 16]), &[7; 16]),
            (Value::Decimal("-1.50"), b"-1.50"),
            (Value::Json("{ }"), b"{ }"),
        ] {
            assert_eq!(value.to_canonical_bytes().unwrap().as_slice(), bytes, "{value:?}");
            assert!(Value::from_canonical_bytes(value.kind(), bytes).unwrap() == value, "{value:?}");
        }
    }

    #[test]
    fn tags_are_one_to_ten_and_no_other() {
        assert_eq!(ALL.map(Type::tag), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        for tag in 0..=255 {
            assert_eq!(Type::from_tag(tag).map(Type::tag), (1..=10).contains(&tag).then_some(tag));
        }
    }

    #[test]
    fn bytes_that_are_not_canonical_are_refused() {
        let bad: [(Type, &[u8]); 22] = [
            (Type::Text, b"\xff"),
            (Type::Text, b"\xed\xa0\x80"),
            (Type::Json, b"\xc0\x80"),
            (Type::I64, &[0; 7]),
            (Type::I64, &[0; 9]),
            (Type::U64, &[]),
            (Type::Bool, &[2]),
            (Type::Bool, &[]),
            (Type::Bool, &[0, 0]),
            (Type::Date, &[0; 8]),
            (Type::Instant, &[0; 4]),
            (Type::Uuid, &[0; 15]),
            (Type::Uuid, b"078-05-1120-0000-"),
            (Type::Decimal, b""),
            (Type::Decimal, b"01"),
            (Type::Decimal, b"-0"),
            (Type::Decimal, b"-0.00"),
            (Type::Decimal, b"1."),
            (Type::Decimal, b".5"),
            (Type::Decimal, b"+1"),
            (Type::Decimal, b"1e3"),
            (Type::Decimal, "１".as_bytes()),
        ];
        for (kind, bytes) in bad {
            let error = Value::from_canonical_bytes(kind, bytes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Value, "{kind:?} {bytes:?}");
        }
        for text in ["-", "--1", "1.2.3", "1.", "00", "-00.1", "0x1", "1 ", "-0.0"] {
            assert!(Value::Decimal(text).to_canonical_bytes().is_err(), "{text}");
        }
        for text in ["0", "0.0", "-0.01", "10", "-1.50", "123456789012345678901234567890.0"] {
            assert!(Value::Decimal(text).to_canonical_bytes().is_ok(), "{text}");
        }
    }

    #[test]
    fn an_instant_out_of_range_is_refused_and_not_bent() {
        assert!(Value::instant(9_223_372_036, 854_775_807).is_ok());
        for (seconds, nanos) in
            [(9_223_372_036, 854_775_808), (i64::MAX, 0), (i64::MIN, 0), (0, 1_000_000_000)]
        {
            assert_eq!(Value::instant(seconds, nanos).unwrap_err().kind(), ErrorKind::Value);
        }
    }

    #[test]
    fn debug_shows_the_type_alone() {
        assert_eq!(format!("{:?}", Value::Text("canary")), "Value(Text)");
        assert_eq!(format!("{:#?}", Value::I64(4711)), "Value(I64)");
    }

    proptest! {
        #[test]
        fn what_reads_writes_the_same_bytes(tag in 1_u8..=10, bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let kind = Type::from_tag(tag).unwrap();
            if let Ok(value) = Value::from_canonical_bytes(kind, &bytes) {
                let written = value.to_canonical_bytes().unwrap();
                prop_assert_eq!(written.as_slice(), bytes.as_slice());
            }
        }
    }
}
