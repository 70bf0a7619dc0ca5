//! Claims of one's own: any type of serde, read off a text that was scanned before.
//!
//! It reads what `serde_json` reads, into the same types. Two things are as the family has them, whatever features of
//! `serde_json` are on in a program: a number beyond 64 bits is a double for a type that does not ask for 128, and a double is
//! the nearest one.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
        value::MapDeserializer,
    },
    forward_to_deserialize_any,
};

use super::{Position, Scanner, Stop};
use crate::strict::RAW_VALUE;

/// What was read is not of the type that is asked for. What exactly is wrong would quote the peer.
#[derive(Debug)]
pub(crate) struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value is of another type")
    }
}

impl std::error::Error for Unreadable {}

impl serde::de::Error for Unreadable {
    #[cold]
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl From<Stop> for Unreadable {
    #[cold]
    fn from(_: Stop) -> Self {
        Self
    }
}

type Made<T> = Result<T, Unreadable>;

/// The value that stands where the scanner is.
pub(super) struct Value<'s, 'j> {
    scan: &'s mut Scanner<'j>,
    /// The scanner is needed no more behind it, so that it can be passed by without a look.
    is_last: bool,
}

impl<'s, 'j> Value<'s, 'j> {
    /// A value behind which nothing is read.
    pub(super) const fn last(scan: &'s mut Scanner<'j>) -> Self {
        Self { scan, is_last: true }
    }

    const fn inner(scan: &'s mut Scanner<'j>) -> Self {
        Self { scan, is_last: false }
    }

    /// A string, and nothing else.
    #[inline]
    fn text<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        match self.scan.string()? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    /// A number, and nothing else.
    fn number<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        match self.scan.any_number()? {
            Number::Natural(number) => visitor.visit_u64(number),
            Number::Negative(number) => visitor.visit_i64(number),
            Number::Double(number) => visitor.visit_f64(number),
        }
    }

    fn seq<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        let position = self.scan.array()?;
        let mut elements = Elements { scan: self.scan, position, is_over: false };
        let value = visitor.visit_seq(&mut elements)?;
        elements.end()?;
        Ok(value)
    }

    fn map<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        let position = self.scan.object()?;
        let mut entries = Entries { scan: self.scan, position, is_over: false };
        let value = visitor.visit_map(&mut entries)?;
        entries.end()?;
        Ok(value)
    }
}

macro_rules! numbers {
    ($($method:ident)*) => {
        $(#[inline]
        fn $method<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
            self.number(visitor)
        })*
    };
}

macro_rules! texts {
    ($($method:ident)*) => {
        $(#[inline]
        fn $method<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
            self.text(visitor)
        })*
    };
}

impl<'j> Deserializer<'j> for Value<'_, 'j> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        match self.scan.peek() {
            Some(b'"') => self.text(visitor),
            Some(b'{') => self.map(visitor),
            Some(b'[') => self.seq(visitor),
            Some(b't' | b'f') => self.deserialize_bool(visitor),
            Some(b'n') => self.deserialize_unit(visitor),
            _ => self.number(visitor),
        }
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16 deserialize_u32
        deserialize_u64 deserialize_f32 deserialize_f64
    }

    texts! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    fn deserialize_i128<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        visitor.visit_i128(self.scan.number_text()?.parse().map_err(|_| Unreadable)?)
    }

    fn deserialize_u128<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        visitor.visit_u128(self.scan.number_text()?.parse().map_err(|_| Unreadable)?)
    }

    fn deserialize_bool<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        match self.scan.peek() {
            Some(b't') => self.scan.word("true")?,
            _ => {
                self.scan.word("false")?;
                return visitor.visit_bool(false);
            }
        }
        visitor.visit_bool(true)
    }

    fn deserialize_unit<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        self.scan.peek();
        self.scan.word("null")?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'j>>(self, _: &'static str, visitor: V) -> Made<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_option<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        if self.scan.peek() != Some(b'n') {
            return visitor.visit_some(self);
        }
        self.scan.word("null")?;
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'j>>(self, name: &'static str, visitor: V) -> Made<V::Value> {
        if name != RAW_VALUE {
            return visitor.visit_newtype_struct(self);
        }
        let text = self.scan.text_of_value()?;
        visitor.visit_map(MapDeserializer::new(std::iter::once((name, text))))
    }

    fn deserialize_bytes<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        if self.scan.peek() == Some(b'[') {
            return self.seq(visitor);
        }
        match self.scan.string()? {
            Cow::Borrowed(text) => visitor.visit_borrowed_bytes(text.as_bytes()),
            Cow::Owned(text) => visitor.visit_byte_buf(text.into_bytes()),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        self.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        self.seq(visitor)
    }

    fn deserialize_tuple<V: Visitor<'j>>(self, _: usize, visitor: V) -> Made<V::Value> {
        self.seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'j>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Made<V::Value> {
        self.seq(visitor)
    }

    fn deserialize_map<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        self.map(visitor)
    }

    fn deserialize_struct<V: Visitor<'j>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Made<V::Value> {
        match self.scan.peek() {
            Some(b'[') => self.seq(visitor),
            _ => self.map(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'j>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Made<V::Value> {
        if self.scan.peek() == Some(b'"') {
            return visitor.visit_enum(self.scan.string()?.into_deserializer());
        }
        let mut position = self.scan.object()?;
        let name = self.scan.member(&mut position)?.ok_or(Unreadable)?;
        let value = visitor.visit_enum(Variant { name, scan: self.scan })?;
        if self.scan.member(&mut position)?.is_none() { Ok(value) } else { Err(Unreadable) }
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        if !self.is_last {
            self.scan.skip()?;
        }
        visitor.visit_unit()
    }
}

struct Elements<'s, 'j> {
    scan: &'s mut Scanner<'j>,
    position: Position,
    is_over: bool,
}

impl Elements<'_, '_> {
    /// What is left over has no place in the type.
    fn end(mut self) -> Made<()> {
        if self.is_over || !self.scan.element(&mut self.position)? { Ok(()) } else { Err(Unreadable) }
    }
}

impl<'j> SeqAccess<'j> for &mut Elements<'_, 'j> {
    type Error = Unreadable;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'j>>(&mut self, seed: T) -> Made<Option<T::Value>> {
        if self.is_over || !self.scan.element(&mut self.position)? {
            self.is_over = true;
            return Ok(None);
        }
        seed.deserialize(Value::inner(self.scan)).map(Some)
    }
}

struct Entries<'s, 'j> {
    scan: &'s mut Scanner<'j>,
    position: Position,
    is_over: bool,
}

impl Entries<'_, '_> {
    fn end(mut self) -> Made<()> {
        if self.is_over || self.scan.member(&mut self.position)?.is_none() { Ok(()) } else { Err(Unreadable) }
    }
}

impl<'j> MapAccess<'j> for &mut Entries<'_, 'j> {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'j>>(&mut self, seed: K) -> Made<Option<K::Value>> {
        if self.is_over {
            return Ok(None);
        }
        match self.scan.member(&mut self.position)? {
            Some(name) => seed.deserialize(Key(name)).map(Some),
            None => {
                self.is_over = true;
                Ok(None)
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'j>>(&mut self, seed: V) -> Made<V::Value> {
        self.scan.colon()?;
        seed.deserialize(Value::inner(self.scan))
    }
}

/// The name of a member.
pub(super) struct Key<'j>(pub(super) Cow<'j, str>);

macro_rules! number_keys {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
            let mut scan = Scanner::again(&self.0, false);
            let number = scan.any_number()?;
            if scan.at != self.0.len() || self.0.starts_with(char::is_whitespace) {
                return Err(Unreadable);
            }
            match number {
                Number::Natural(number) => visitor.visit_u64(number),
                Number::Negative(number) => visitor.visit_i64(number),
                Number::Double(number) => visitor.visit_f64(number),
            }
        })*
    };
}

impl<'j> Deserializer<'j> for Key<'j> {
    type Error = Unreadable;

    #[inline]
    fn deserialize_any<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        match self.0 {
            Cow::Borrowed(name) => visitor.visit_borrowed_str(name),
            Cow::Owned(name) => visitor.visit_string(name),
        }
    }

    number_keys! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16 deserialize_u32
        deserialize_u64 deserialize_f32 deserialize_f64
    }

    fn deserialize_i128<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        visitor.visit_i128(self.0.parse().map_err(|_| Unreadable)?)
    }

    fn deserialize_u128<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        visitor.visit_u128(self.0.parse().map_err(|_| Unreadable)?)
    }

    fn deserialize_bool<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        visitor.visit_bool(self.0.parse().map_err(|_| Unreadable)?)
    }

    fn deserialize_option<V: Visitor<'j>>(self, visitor: V) -> Made<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'j>>(self, _: &'static str, visitor: V) -> Made<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'j>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Made<V::Value> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    forward_to_deserialize_any! {
        <V: Visitor<'j>>
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// A variant of an enum with what is in it.
struct Variant<'s, 'j> {
    name: Cow<'j, str>,
    scan: &'s mut Scanner<'j>,
}

impl<'s, 'j> EnumAccess<'j> for Variant<'s, 'j> {
    type Error = Unreadable;
    type Variant = Content<'s, 'j>;

    fn variant_seed<V: DeserializeSeed<'j>>(self, seed: V) -> Made<(V::Value, Content<'s, 'j>)> {
        let variant = seed.deserialize(Key(self.name))?;
        self.scan.colon()?;
        Ok((variant, Content(Value::inner(self.scan))))
    }
}

struct Content<'s, 'j>(Value<'s, 'j>);

impl<'j> VariantAccess<'j> for Content<'_, 'j> {
    type Error = Unreadable;

    fn unit_variant(self) -> Made<()> {
        <()>::deserialize(self.0)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'j>>(self, seed: T) -> Made<T::Value> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'j>>(self, _: usize, visitor: V) -> Made<V::Value> {
        self.0.seq(visitor)
    }

    fn struct_variant<V: Visitor<'j>>(self, fields: &'static [&'static str], visitor: V) -> Made<V::Value> {
        self.0.deserialize_struct("", fields, visitor)
    }
}

/// A number as serde's types take it.
pub(super) enum Number {
    Natural(u64),
    Negative(i64),
    Double(f64),
}

impl<'j> Scanner<'j> {
    /// To read values of a text again that was scanned to its end before, so that every limit holds already.
    pub(super) const fn again(json: &'j str, is_plain: bool) -> Self {
        const ANY: usize = usize::MAX / 2;
        Self { json, at: 0, values: ANY, depth: ANY, is_plain, about: None, unescaped: String::new() }
    }

    /// The text of the number that stands here.
    fn number_text(&mut self) -> Made<&'j str> {
        self.peek();
        let start = self.at;
        self.number()?;
        // INVARIANT(scan-at): a number is of whole characters, so this slice exists.
        self.json.get(start..self.at).ok_or(Unreadable)
    }

    fn any_number(&mut self) -> Made<Number> {
        self.peek();
        let start = self.at;
        if let Some(number) = self.number()? {
            return Ok(Number::Natural(number));
        }
        let text = self.json.get(start..self.at).ok_or(Unreadable)?;
        match text.parse() {
            // “-0” is the double that it says.
            Ok(number) if number != 0_i64 => Ok(Number::Negative(number)),
            _ => text.parse().map(Number::Double).map_err(|_| Unreadable),
        }
    }

    /// The text of the value that stands here.
    pub(super) fn text_of_value(&mut self) -> Made<&'j str> {
        self.peek();
        let start = self.at;
        self.skip()?;
        // INVARIANT(scan-at): a value is of whole characters, so this slice exists.
        self.json.get(start..self.at).ok_or(Unreadable)
    }
}

#[cfg(test)]
mod tests;
