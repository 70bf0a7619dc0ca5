//! Writes claims of one's own: any type of serde, as JSON that our own verifier takes.
//!
//! What it would refuse is not written: members that stand twice, registered claims, numbers that are none, more values or
//! levels than [`Limits::DEFAULT`](crate::Limits::DEFAULT) has.

mod key;
mod open;

use std::{fmt, io::Write};

use serde::{Serialize, Serializer, ser};

use self::open::Open;
use crate::{
    Error, ErrorKind,
    names::{json_string, write_digits},
    strict::{NUMBER, RAW_VALUE},
};

/// Writes values, and counts them.
pub(crate) struct Writer<'o> {
    out: &'o mut Vec<u8>,
    /// What may still be written.
    values: usize,
    depth: usize,
}

/// Why nothing is written. What serde's types say about themselves is dropped: it may quote what they hold.
#[derive(Debug)]
pub(crate) struct Refused(ErrorKind);

type Written<T = ()> = Result<T, Refused>;

impl<'o> Writer<'o> {
    /// Writes members into an object that is open and has some already.
    pub(crate) const fn new(out: &'o mut Vec<u8>, values: usize, depth: usize) -> Self {
        Self { out, values, depth }
    }

    /// One member of that object, whose name was checked.
    pub(crate) fn member(&mut self, name: &str, value: &impl Serialize) -> Result<(), Error> {
        self.out.push(b',');
        json_string(self.out, name);
        self.out.push(b':');
        self.count().and_then(|()| value.serialize(self)).map_err(|Refused(kind)| kind.into())
    }

    /// All members of a struct or map, which are none of the names that `is_taken` knows.
    pub(crate) fn members(
        &mut self,
        own: &(impl Serialize + ?Sized),
        is_taken: &dyn Fn(&str) -> bool,
    ) -> Result<(), Error> {
        own.serialize(Members { writer: self, is_taken }).map_err(|Refused(kind)| kind.into())
    }

    /// One more member or element.
    fn count(&mut self) -> Written {
        self.values = self.values.checked_sub(1).ok_or(Refused(ErrorKind::TooLarge))?;
        Ok(())
    }

    /// One level down.
    fn open(&mut self, bracket: u8) -> Written {
        self.depth = self.depth.checked_sub(1).ok_or(Refused(ErrorKind::TooLarge))?;
        self.out.push(bracket);
        Ok(())
    }

    fn close(&mut self, bracket: u8) {
        self.depth += 1;
        self.out.push(bracket);
    }

    fn text(&mut self, text: &str) {
        json_string(self.out, text);
    }

    fn shown(&mut self, number: impl fmt::Display) -> Written {
        write!(self.out, "{number}").map_err(|_| CLAIM)
    }

    /// The name of a variant, whose content comes next.
    fn variant(&mut self, variant: &str) -> Written {
        self.open(b'{')?;
        self.count()?;
        self.text(variant);
        self.out.push(b':');
        Ok(())
    }
}

/// It has no place in a token.
const CLAIM: Refused = Refused(ErrorKind::Claim);

impl ser::Error for Refused {
    fn custom<T: fmt::Display>(_: T) -> Self {
        CLAIM
    }
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value has no place in a token")
    }
}

impl<'w, 'o> Serializer for &'w mut Writer<'o> {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = Open<'w, 'o, 'static>;
    type SerializeTuple = Open<'w, 'o, 'static>;
    type SerializeTupleStruct = Open<'w, 'o, 'static>;
    type SerializeTupleVariant = Open<'w, 'o, 'static>;
    type SerializeMap = Open<'w, 'o, 'static>;
    type SerializeStruct = Open<'w, 'o, 'static>;
    type SerializeStructVariant = Open<'w, 'o, 'static>;

    fn serialize_bool(self, value: bool) -> Written {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_i8(self, number: i8) -> Written {
        self.serialize_i64(number.into())
    }

    fn serialize_i16(self, number: i16) -> Written {
        self.serialize_i64(number.into())
    }

    fn serialize_i32(self, number: i32) -> Written {
        self.serialize_i64(number.into())
    }

    fn serialize_i64(self, number: i64) -> Written {
        if number < 0 {
            self.out.push(b'-');
        }
        write_digits(self.out, number.unsigned_abs());
        Ok(())
    }

    fn serialize_i128(self, number: i128) -> Written {
        self.shown(number)
    }

    fn serialize_u8(self, number: u8) -> Written {
        self.serialize_u64(number.into())
    }

    fn serialize_u16(self, number: u16) -> Written {
        self.serialize_u64(number.into())
    }

    fn serialize_u32(self, number: u32) -> Written {
        self.serialize_u64(number.into())
    }

    fn serialize_u64(self, number: u64) -> Written {
        write_digits(self.out, number);
        Ok(())
    }

    fn serialize_u128(self, number: u128) -> Written {
        self.shown(number)
    }

    fn serialize_f32(self, number: f32) -> Written {
        if !number.is_finite() {
            return Err(CLAIM);
        }
        // The shortest text that is this number, with an exponent where that is shorter.
        write!(self.out, "{number:?}").map_err(|_| CLAIM)
    }

    fn serialize_f64(self, number: f64) -> Written {
        if !number.is_finite() {
            return Err(CLAIM);
        }
        write!(self.out, "{number:?}").map_err(|_| CLAIM)
    }

    fn serialize_char(self, c: char) -> Written {
        self.text(c.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Written {
        self.text(text);
        Ok(())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Written {
        self.collect_seq(bytes)
    }

    fn serialize_none(self) -> Written {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Written {
        self.variant(variant)?;
        value.serialize(&mut *self)?;
        self.close(b'}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Written<Open<'w, 'o, 'static>> {
        Open::array(self)
    }

    fn serialize_tuple(self, _: usize) -> Written<Open<'w, 'o, 'static>> {
        Open::array(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Written<Open<'w, 'o, 'static>> {
        Open::array(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Written<Open<'w, 'o, 'static>> {
        self.variant(variant)?;
        Ok(Open::array(self)?.in_variant())
    }

    fn serialize_map(self, _: Option<usize>) -> Written<Open<'w, 'o, 'static>> {
        Open::object(self)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Written<Open<'w, 'o, 'static>> {
        match name {
            // With a feature of `serde_json` that any crate may turn on, its numbers come as a struct of this name.
            NUMBER => Ok(Open::number(self)),
            // SECURITY: text that was never looked at is not written.
            RAW_VALUE => Err(CLAIM),
            _ => Open::object(self),
        }
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Written<Open<'w, 'o, 'static>> {
        self.variant(variant)?;
        Ok(Open::object(self)?.in_variant())
    }
}

/// Takes a struct or a map apart into members of the claims object.
struct Members<'w, 'o, 't> {
    writer: &'w mut Writer<'o>,
    is_taken: &'t dyn Fn(&str) -> bool,
}

impl<'w, 'o, 't> Serializer for Members<'w, 'o, 't> {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = ser::Impossible<(), Refused>;
    type SerializeTuple = ser::Impossible<(), Refused>;
    type SerializeTupleStruct = ser::Impossible<(), Refused>;
    type SerializeTupleVariant = ser::Impossible<(), Refused>;
    type SerializeMap = Open<'w, 'o, 't>;
    type SerializeStruct = Open<'w, 'o, 't>;
    type SerializeStructVariant = ser::Impossible<(), Refused>;

    fn serialize_map(self, _: Option<usize>) -> Written<Open<'w, 'o, 't>> {
        Ok(Open::claims(self.writer, self.is_taken))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Written<Open<'w, 'o, 't>> {
        if name == NUMBER || name == RAW_VALUE {
            return Err(CLAIM);
        }
        Ok(Open::claims(self.writer, self.is_taken))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_none(self) -> Written {
        Ok(())
    }

    fn serialize_unit(self) -> Written {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        Ok(())
    }

    key::no_members! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32,
        serialize_f64: f64, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
    }
    key::no_compounds! {}

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Written {
        Err(CLAIM)
    }
}

#[cfg(test)]
mod tests;
