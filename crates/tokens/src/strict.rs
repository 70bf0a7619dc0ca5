//! The strict JSON reading that header, claims and keys share: one pass, borrowed, every member once, limits on nesting and
//! number (RFC 8725 §3.10).
//!
//! A parser makes a [`Reader`], seeds of this file read members through it, and [`Reader::read`] turns what stopped them
//! into one of our errors. serde's own messages quote the peer and are dropped.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::error::Category;

use crate::{Error, ErrorKind};

/// What is left to read, where it is, and why it stopped.
pub(crate) struct Reader {
    values: usize,
    depth: usize,
    /// The member whose value is read now. A wrong type is about this one.
    pub(crate) at: Option<&'static str>,
    stopped: Option<ErrorKind>,
    /// What a wrong type is called.
    wrong_type: ErrorKind,
    malformed: ErrorKind,
    too_large: ErrorKind,
    duplicate: ErrorKind,
}

impl Reader {
    /// As `scan` reads header and claims.
    #[cfg(test)]
    pub(crate) const fn of_token(values: usize, depth: usize) -> Self {
        Self {
            values,
            depth,
            at: None,
            stopped: None,
            wrong_type: ErrorKind::ClaimType,
            malformed: ErrorKind::Malformed,
            too_large: ErrorKind::TooLarge,
            duplicate: ErrorKind::Duplicate,
        }
    }

    /// For keys.
    pub(crate) const fn of_keys(values: usize, depth: usize) -> Self {
        Self {
            values,
            depth,
            at: None,
            stopped: None,
            wrong_type: ErrorKind::KeyFormat,
            malformed: ErrorKind::KeyFormat,
            too_large: ErrorKind::KeyTooLarge,
            duplicate: ErrorKind::KeyFormat,
        }
    }

    /// Reads one whole text, which must be an object.
    pub(crate) fn read<'de, T>(
        mut self,
        text: &'de str,
        read: impl FnOnce(
            &mut Self,
            &mut serde_json::Deserializer<serde_json::de::StrRead<'de>>,
        ) -> serde_json::Result<T>,
    ) -> Result<T, Error> {
        let mut json = serde_json::Deserializer::from_str(text);
        let value = read(&mut self, &mut json).and_then(|value| json.end().map(|()| value));
        value.map_err(|error| match (self.stopped, error.classify(), self.at) {
            (Some(kind), _, Some(at)) => Error::about(kind, at),
            (Some(kind), _, None) => kind.into(),
            (None, Category::Data, Some(at)) => Error::about(self.wrong_type, at),
            _ => self.malformed.into(),
        })
    }

    pub(crate) fn stop<E: serde::de::Error>(&mut self, kind: ErrorKind) -> E {
        self.stopped = Some(kind);
        E::custom("refused")
    }

    pub(crate) fn too_large<E: serde::de::Error>(&mut self) -> E {
        self.stop(self.too_large)
    }

    pub(crate) fn duplicate<E: serde::de::Error>(&mut self) -> E {
        self.stop(self.duplicate)
    }

    /// Refuses what is no [`is_allowed_name`].
    pub(crate) fn check_name<E: serde::de::Error>(&mut self, name: &str) -> Result<(), E> {
        if is_allowed_name(name) { Ok(()) } else { Err(self.stop(self.malformed)) }
    }

    /// One more member or element.
    pub(crate) fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        match self.values.checked_sub(1) {
            Some(left) => {
                self.values = left;
                Ok(())
            }
            None => Err(self.too_large()),
        }
    }

    /// One level down. To be followed by [`Reader::leave`].
    pub(crate) fn enter<E: serde::de::Error>(&mut self) -> Result<(), E> {
        match self.depth.checked_sub(1) {
            Some(left) => {
                self.depth = left;
                Ok(())
            }
            None => Err(self.too_large()),
        }
    }

    pub(crate) const fn leave(&mut self) {
        self.depth += 1;
    }
}

/// SECURITY: for an object of these names `serde_json::Value` reads the text in it as JSON or as a number, past every check here,
/// once the feature `raw_value` or `arbitrary_precision` is on anywhere in a program.
/// [`Verifier::verify_with`](crate::Verifier::verify_with) may be asked for one.
pub(crate) fn is_allowed_name(name: &str) -> bool {
    name != RAW_VALUE && name != NUMBER
}

/// What serde_json calls its raw values among its own.
pub(crate) const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// What it calls its numbers.
pub(crate) const NUMBER: &str = "$serde_json::private::Number";

/// The names of one object so far; the first eight without an allocation, and the others in order, so that a thousand names
/// cost no million comparisons and nothing needs to be hashed.
pub(crate) struct Names<'de> {
    first: [&'de str; 8],
    count: usize,
    /// Also those that had escapes.
    more: BTreeSet<Cow<'de, str>>,
}

impl<'de> Names<'de> {
    pub(crate) const fn new() -> Self {
        Self { first: [""; 8], count: 0, more: BTreeSet::new() }
    }

    /// Whether the name is new.
    pub(crate) fn insert(&mut self, name: Cow<'de, str>) -> bool {
        if self.first.iter().take(self.count).any(|known| *known == name) {
            return false;
        }
        match (name, self.first.get_mut(self.count)) {
            (Cow::Borrowed(name), Some(place)) if !self.more.contains(name) => {
                *place = name;
                self.count += 1;
                true
            }
            (name, _) => self.more.insert(name),
        }
    }
}

/// A string, borrowed where it has no escapes. As a member name it is compared after unescaping: `"\u0061lg"` is `alg`.
pub(crate) struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// Any value: read to its end and checked like everything else, but not kept.
pub(crate) struct Any<'r>(pub(crate) &'r mut Reader);

impl<'de> DeserializeSeed<'de> for Any<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Any<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        self.0.enter()?;
        while elements.next_element_seed(Any(self.0))?.is_some() {
            self.0.count()?;
        }
        self.0.leave();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        self.0.enter()?;
        let mut names = Names::new();
        while let Some(name) = members.next_key_seed(Text)? {
            self.0.count()?;
            self.0.check_name(&name)?;
            if !names.insert(name) {
                return Err(self.0.duplicate());
            }
            members.next_value_seed(Any(self.0))?;
        }
        self.0.leave();
        Ok(())
    }
}

/// The members that a parser knows. [`members`] makes one.
pub(crate) trait Known: Copy + 'static {
    const ALL: &'static [Self];
    fn named(name: &str) -> Option<Self>;
    fn name(self) -> &'static str;
    /// Its place in a set of 32.
    fn bit(self) -> u32;
}

/// `members! { enum Claim { Issuer = "iss", … } }`: an enum of known member names.
macro_rules! members {
    ($(#[$doc:meta])* $vis:vis enum $enum:ident { $($variant:ident = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        $vis enum $enum { $($variant,)* }

        impl $crate::strict::Known for $enum {
            const ALL: &'static [Self] = &[$(Self::$variant,)*];

            fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            fn bit(self) -> u32 {
                1 << (self as u32)
            }
        }
    };
}
pub(crate) use members;

/// Whether a name is its own lower-case spelling, so that it differs from another such name by more than letter case.
pub(crate) fn is_lower_case(name: &str) -> bool {
    name.bytes().fold(true, |all, byte| all & (byte.is_ascii() & !byte.is_ascii_uppercase()))
}

/// Whether a name is a known one in any letter case. Known names are in lower-case ASCII.
pub(crate) fn is_spelling_of_any<K: Known>(name: &str) -> bool {
    if is_lower_case(name) {
        return K::named(name).is_some();
    }
    if name.is_ascii() {
        return K::ALL.iter().any(|known| known.name().eq_ignore_ascii_case(name));
    }
    K::ALL.iter().any(|known| name.chars().map(folded).eq(known.name().chars()))
}

/// Whether two names differ by letter case at most.
pub(crate) fn is_spelling_of(name: &str, known: &str) -> bool {
    if name.is_ascii() {
        return name.eq_ignore_ascii_case(known);
    }
    name.chars().map(folded).eq(known.chars().map(folded))
}

/// To lower-case ASCII what some rule of Unicode folds to it: beside ASCII itself long s, the Kelvin sign, and both letters i
/// of Turkish.
const fn folded(c: char) -> char {
    match c {
        '\u{17F}' => 's',
        '\u{212A}' => 'k',
        '\u{130}' | '\u{131}' => 'i',
        c => c.to_ascii_lowercase(),
    }
}

/// The names of one object so far, known ones apart.
pub(crate) struct Seen<'de> {
    known: u32,
    others: Names<'de>,
}

impl<'de> Seen<'de> {
    pub(crate) const fn nothing() -> Self {
        Self { known: 0, others: Names::new() }
    }

    /// Reads the next member name: nothing at the end of the object, `Some(None)` for a name that the parser does not know.
    ///
    /// SECURITY: a name comes once. One that differs from a known name by letter case alone is refused as well: readers that
    /// fold case would be told something else, and some of them fold as Unicode does (Go's `encoding/json`: `ſub` is `sub`).
    pub(crate) fn next<K: Known, A: MapAccess<'de>>(
        &mut self,
        reader: &mut Reader,
        members: &mut A,
    ) -> Result<Option<Option<K>>, A::Error> {
        reader.at = None;
        let Some(name) = members.next_key_seed(Text)? else {
            return Ok(None);
        };
        reader.count()?;
        if let Some(known) = K::named(&name) {
            reader.at = Some(known.name());
            if self.known & known.bit() != 0 {
                return Err(reader.duplicate());
            }
            self.known |= known.bit();
            return Ok(Some(Some(known)));
        }
        reader.check_name(&name)?;
        if is_spelling_of_any::<K>(&name) || !self.others.insert(name) {
            return Err(reader.duplicate());
        }
        Ok(Some(None))
    }
}

#[cfg(test)]
mod tests;
