//! Names of members, and numbers of `serde_json`: what is written as text.

use std::io::Write;

use serde::{Serialize, Serializer, ser};

use super::{CLAIM, Refused, Writer, Written};

/// The text of a name: a string, a character, a whole number, a boolean or a variant without content.
pub(super) fn text<T: Serialize + ?Sized>(name: &T) -> Written<String> {
    name.serialize(Text)
}

/// Writes the number that `serde_json` holds as text.
pub(super) fn number<T: Serialize + ?Sized>(writer: &mut Writer<'_>, number: &T) -> Written {
    let text = text(number)?;
    let is_number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
        && text.ends_with(|c: char| c.is_ascii_digit())
        && serde_json::from_str::<f64>(&text).is_ok_and(f64::is_finite);
    if !is_number {
        return Err(CLAIM);
    }
    writer.out.write_all(text.as_bytes()).map_err(|_| CLAIM)
}

struct Text;

macro_rules! shown {
    ($($method:ident: $type:ty,)*) => {
        $(fn $method(self, value: $type) -> Written<String> {
            Ok(value.to_string())
        })*
    };
}

/// What has no members and is no name.
macro_rules! no_members {
    ($($method:ident: $type:ty,)*) => {
        $(fn $method(self, _: $type) -> Result<Self::Ok, Refused> {
            Err(CLAIM)
        })*
    };
}

macro_rules! no_compounds {
    () => {
        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<Self::Ok, Refused> {
            Err(CLAIM)
        }

        fn serialize_seq(self, _: Option<usize>) -> Written<Self::SerializeSeq> {
            Err(CLAIM)
        }

        fn serialize_tuple(self, _: usize) -> Written<Self::SerializeTuple> {
            Err(CLAIM)
        }

        fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Written<Self::SerializeTupleStruct> {
            Err(CLAIM)
        }

        fn serialize_tuple_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Written<Self::SerializeTupleVariant> {
            Err(CLAIM)
        }

        fn serialize_struct_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Written<Self::SerializeStructVariant> {
            Err(CLAIM)
        }
    };
}
pub(super) use {no_compounds, no_members};

impl Serializer for Text {
    type Ok = String;
    type Error = Refused;
    type SerializeSeq = ser::Impossible<String, Refused>;
    type SerializeTuple = ser::Impossible<String, Refused>;
    type SerializeTupleStruct = ser::Impossible<String, Refused>;
    type SerializeTupleVariant = ser::Impossible<String, Refused>;
    type SerializeMap = ser::Impossible<String, Refused>;
    type SerializeStruct = ser::Impossible<String, Refused>;
    type SerializeStructVariant = ser::Impossible<String, Refused>;

    shown! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_u128: u128, serialize_char: char, serialize_str: &str,
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written<String> {
        Ok(variant.to_owned())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, name: &T) -> Written<String> {
        name.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Written<String> {
        Err(CLAIM)
    }

    fn serialize_none(self) -> Written<String> {
        Err(CLAIM)
    }

    fn serialize_unit(self) -> Written<String> {
        Err(CLAIM)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written<String> {
        Err(CLAIM)
    }

    fn serialize_map(self, _: Option<usize>) -> Written<Self::SerializeMap> {
        Err(CLAIM)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Written<Self::SerializeStruct> {
        Err(CLAIM)
    }

    no_members! { serialize_f32: f32, serialize_f64: f64, serialize_bytes: &[u8], }
    no_compounds! {}
}
