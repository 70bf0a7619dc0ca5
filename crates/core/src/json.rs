//! One strict reading of JSON for everything that comes from a peer (RFC 8259, RFC 8725 section 3.10), and one writing
//! that stays on its line.
//!
//! Refused beside what `serde_json` refuses (byte order mark, invalid UTF-8, lone surrogates, trailing data, numbers out
//! of range): repeated member names at any depth, anything beyond the limits, and the name by which `serde_json` reads a
//! text within the text. Readers that disagree about a repeated member are a way to be told two things at once.

use std::{
    borrow::Cow,
    collections::HashSet,
    fmt,
    io::{self, Write},
};

use serde::{
    Deserializer, Serialize,
    de::{DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};

use crate::names;

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of the whole text.
    pub bytes: usize,
    /// Deepest nesting of arrays and objects; at most 100.
    pub depth: usize,
    /// Most members and elements, all levels together.
    pub values: usize,
}

impl Limits {
    /// 64 KiB, 16 levels, 4,096 values: enough for a request's body.
    pub const REQUEST: Self = Self { bytes: 64 * 1024, depth: 16, values: 4_096 };
}

/// Why a text was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum JsonFault {
    /// More bytes, levels or values than the limits allow.
    #[error("the JSON text is beyond its limits")]
    TooLarge,
    /// A member name stands twice in one object.
    #[error("a member name stands twice in one object")]
    Duplicate,
    /// It is no JSON text.
    #[error("the text is no JSON")]
    Malformed,
    /// It is JSON, but not what is expected here.
    #[error("the JSON text is not of the expected shape")]
    Shape,
}

/// Checks a text without keeping anything of it.
///
/// # Errors
/// [`JsonFault`], see there.
pub fn check(text: &[u8], limits: &Limits) -> Result<(), JsonFault> {
    if text.len() > limits.bytes {
        return Err(JsonFault::TooLarge);
    }
    let mut state = State { values: limits.values, fault: JsonFault::Malformed };
    let mut reader = serde_json::Deserializer::from_slice(text);
    let read = Strict { state: &mut state, depth: limits.depth.min(100) }.deserialize(&mut reader);
    match read.and_then(|()| reader.end()) {
        Ok(()) => Ok(()),
        Err(_) => Err(state.fault),
    }
}

/// Checks a text and reads it.
///
/// # Errors
/// [`JsonFault`], see there.
pub fn read<T: DeserializeOwned>(text: &[u8], limits: &Limits) -> Result<T, JsonFault> {
    check(text, limits)?;
    serde_json::from_slice(text).map_err(|_| JsonFault::Shape)
}

/// Appends a value as JSON on one line: no text in it can end the line or turn the writing direction, whatever reads it.
/// No line break is added.
///
/// # Errors
/// [`JsonFault::Shape`] when the value has no JSON form; `out` may hold a part of it then.
pub fn write_one_line<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), JsonFault> {
    let mut serializer = Serializer::with_formatter(out, OneLine(CompactFormatter));
    value.serialize(&mut serializer).map_err(|_| JsonFault::Shape)
}

/// JSON in which no peer's text can end a line or turn the writing direction, whatever reads it.
struct OneLine(CompactFormatter);

impl Formatter for OneLine {
    // SECURITY: DEL, C1 controls, U+2028/9 and bidi controls are legal inside JSON strings; log readers split and reorder
    // at them.
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = 0;
        for (at, c) in fragment.char_indices() {
            if names::breaks_a_line(c) {
                writer.write_all(fragment.get(plain..at).unwrap_or_default().as_bytes())?;
                write!(writer, "\\u{:04x}", u32::from(c))?;
                plain = at + c.len_utf8();
            }
        }
        writer.write_all(fragment.get(plain..).unwrap_or_default().as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        self.0.write_char_escape(writer, escape)
    }
}

/// What is left to read, and why reading stopped if it was not the parser's doing.
struct State {
    values: usize,
    fault: JsonFault,
}

impl State {
    fn stop<E: serde::de::Error>(&mut self, fault: JsonFault) -> E {
        self.fault = fault;
        E::custom("refused")
    }

    fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        match self.values.checked_sub(1) {
            Some(left) => {
                self.values = left;
                Ok(())
            }
            None => Err(self.stop(JsonFault::TooLarge)),
        }
    }
}

struct Strict<'s> {
    state: &'s mut State,
    depth: usize,
}

impl Strict<'_> {
    fn inner<E: serde::de::Error>(&mut self) -> Result<Strict<'_>, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Strict { state: self.state, depth }),
            None => Err(self.state.stop(JsonFault::TooLarge)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
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

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        if number.is_finite() { Ok(()) } else { Err(E::custom("out of range")) }
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while elements.next_element_seed(Strict { state: inner.state, depth: inner.depth })?.is_some() {
            inner.state.count()?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        let mut names: HashSet<Cow<'de, str>> = HashSet::new();
        while let Some(name) = members.next_key_seed(Name)? {
            inner.state.count()?;
            // SECURITY: for an object of such a name `serde_json::Value` reads the text in it as JSON, past every check here.
            if name == RAW_VALUE || name == NUMBER {
                return Err(inner.state.stop(JsonFault::Malformed));
            }
            if !names.insert(name) {
                return Err(inner.state.stop(JsonFault::Duplicate));
            }
            members.next_value_seed(Strict { state: inner.state, depth: inner.depth })?;
        }
        Ok(())
    }
}

/// What serde_json calls its raw values among its own, once its feature `raw_value` is on anywhere in a program.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// What it calls its numbers, once its feature `arbitrary_precision` is on.
const NUMBER: &str = "$serde_json::private::Number";

/// A member name, borrowed where it has no escapes. Compared after unescaping: `"\u0061lg"` is `alg`.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { bytes: 4_096, depth: 4, values: 10 };

    fn verdict(text: &str) -> Result<(), JsonFault> {
        check(text.as_bytes(), &LIMITS)
    }

    #[test]
    fn plain_json_is_read() {
        for good in ["{}", "null", r#"{"a":[1,-2,3.5,true,null,"x"],"b":{"a":1}}"#, " [ ] "] {
            assert_eq!(verdict(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn asvs_1_5_3_two_readings_of_one_text_are_refused() {
        for twice in [r#"{"a":1,"a":1}"#, r#"{"alg":1,"\u0061lg":2}"#, r#"[{"x":{"y":1,"y":2}}]"#] {
            assert_eq!(verdict(twice), Err(JsonFault::Duplicate), "{twice}");
        }
        for bad in [
            "",
            "{",
            "{}x",
            "{} {}",
            "\u{feff}{}",
            r#""\ud800""#,
            "1e400",
            "NaN",
            "{a:1}",
            "'a'",
            "[1,]",
            "01",
        ] {
            assert_eq!(verdict(bad), Err(JsonFault::Malformed), "{bad}");
        }
        assert_eq!(check(b"\"\xff\"", &LIMITS), Err(JsonFault::Malformed));
    }

    #[test]
    fn limits_hold_at_the_exact_number() {
        assert_eq!(verdict("[[[[1]]]]"), Ok(()));
        assert_eq!(verdict("[[[[[1]]]]]"), Err(JsonFault::TooLarge));
        assert_eq!(verdict("[1,2,3,4,5,6,7,8,9,10]"), Ok(()));
        assert_eq!(verdict("[1,2,3,4,5,6,7,8,9,10,11]"), Err(JsonFault::TooLarge));
        assert_eq!(verdict(&" ".repeat(4_097)), Err(JsonFault::TooLarge));
        assert_eq!(
            check(
                "[".repeat(1_000_000).as_bytes(),
                &Limits { bytes: usize::MAX, depth: 100, values: usize::MAX }
            ),
            Err(JsonFault::TooLarge)
        );
    }

    #[test]
    fn another_shape_is_told_apart() {
        assert_eq!(read::<Vec<u8>>(b"{}", &LIMITS), Err(JsonFault::Shape));
        assert_eq!(read::<Vec<u8>>(b"[1]", &LIMITS), Ok(vec![1]));
    }
}
