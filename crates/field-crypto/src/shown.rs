//! What leaves the vault: a value in clear, or its mask.

use std::{borrow::Cow, fmt};

use bartizan_core::{Basic, Covered, Mismatch, Pii, PiiClass};
use bartizan_envelope::{Type, Value};
use zeroize::Zeroize;

/// A sealed field as a grant shows it. Only the vault decides which.
#[non_exhaustive]
pub enum Shown<T: Zeroize = String, C: PiiClass = Basic> {
    /// In clear, for whoever holds the decision that it was opened under.
    Clear(Pii<T, C>),
    /// In clear, and null.
    Null,
    /// Masked. Null looks like any other value here.
    Masked(Box<str>),
}

impl<T: Zeroize, C: PiiClass> Shown<T, C> {
    /// The value; nothing when it is null or masked.
    ///
    /// # Errors
    /// [`Mismatch::Decision`] when it was opened under another decision.
    pub fn expose(&self, covered: Covered<'_>) -> Result<Option<&T>, Mismatch> {
        match self {
            Self::Clear(value) => value.expose(covered).map(Some),
            Self::Null | Self::Masked(_) => Ok(None),
        }
    }

    /// Whether it is masked.
    #[must_use]
    pub const fn is_masked(&self) -> bool {
        matches!(self, Self::Masked(_))
    }
}

impl<T: Zeroize + AsRef<str>, C: PiiClass> Shown<T, C> {
    /// What the holder of the decision may read: the value or its mask; nothing when it is null and may be seen.
    ///
    /// # Errors
    /// [`Mismatch::Decision`] when it was opened under another decision.
    pub fn text(&self, covered: Covered<'_>) -> Result<Option<&str>, Mismatch> {
        match self {
            Self::Clear(value) => value.expose(covered).map(|value| Some(value.as_ref())),
            Self::Null => Ok(None),
            Self::Masked(mask) => Ok(Some(mask)),
        }
    }

    /// What may be shown to anybody: the mask.
    #[must_use]
    pub fn masked(&self) -> Cow<'_, str> {
        match self {
            Self::Clear(value) => Cow::Owned(value.masked()),
            Self::Null => Cow::Borrowed(MASK),
            Self::Masked(mask) => Cow::Borrowed(mask),
        }
    }
}

/// Shows whether it is masked, and no value, not even a mask.
impl<T: Zeroize, C: PiiClass> fmt::Debug for Shown<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_masked() { "Shown(masked)" } else { "Shown(clear)" })
    }
}

/// What is shown of a value of which nothing may be shown.
pub(crate) const MASK: &str = "***";

/// A type that opened values can be had as: `String`, `Vec<u8>`, `i64`, `u64`, `i32`, `bool` and `[u8; 16]`, and no type of
/// another crate, which could look at a value before it is in its [`Pii`].
pub trait FromValue: Zeroize + Sized + closed::Closed {
    /// From a value of a fitting type: `String` is text, decimal or JSON; `i64` also an instant in nanoseconds; `i32` a date
    /// in days since 1970-01-01; `[u8; 16]` a UUID.
    #[doc(hidden)]
    fn from_value(value: Value<'_>) -> Option<Self>;

    /// Whether values of a type can be had as this one.
    #[doc(hidden)]
    fn fits(kind: Type) -> bool;
}

mod closed {
    pub trait Closed {}
}

macro_rules! from_value {
    ($($type:ty: $($kind:ident($value:pat) => $made:expr),+;)+) => {$(
        impl closed::Closed for $type {}

        impl FromValue for $type {
            fn from_value(value: Value<'_>) -> Option<Self> {
                match value {
                    $(Value::$kind($value) => Some($made),)+
                    _ => None,
                }
            }

            fn fits(kind: Type) -> bool {
                matches!(kind, $(Type::$kind)|+)
            }
        }
    )+};
}

from_value! {
    String: Text(text) => text.to_owned(), Decimal(text) => text.to_owned(), Json(text) => text.to_owned();
    Vec<u8>: Bytes(bytes) => bytes.to_vec();
    i64: I64(n) => n, Instant(time) => time.as_nanos();
    u64: U64(n) => n;
    i32: Date(days) => days;
    bool: Bool(truth) => truth;
    [u8; 16]: Uuid(bytes) => bytes;
}
