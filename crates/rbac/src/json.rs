//! A policy in JSON: the same structure, read by the same reader.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use toml::{Table, Value};

use crate::{Error, ErrorKind, names::quoted};

/// The same document as TOML. Lines are lost on the way.
pub(crate) fn to_toml(text: &str) -> Result<String, Error> {
    let refused = |line: Option<u32>, detail: String| Error::new(ErrorKind::Syntax, line, detail);
    let Json(value) = serde_json::from_str(text).map_err(|error| {
        let line = u32::try_from(error.line()).ok().filter(|line| *line > 0);
        let message = error.to_string();
        let end = message.rfind(" at line ").unwrap_or(message.len());
        refused(line, message.get(..end).unwrap_or_default().escape_debug().to_string())
    })?;
    toml::to_string(&value).map_err(|_| refused(None, "the text is no policy".to_owned()))
}

/// A JSON value without null, without doubled members, and without numbers that are no integers.
struct Json(Value);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor).map(Self)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, a list, a text, true, false, or a whole number")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value).map(Value::Integer).map_err(|_| E::custom("a number is too large"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Json(value)) = elements.next_element()? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut table = Table::new();
        while let Some(name) = members.next_key::<String>()? {
            let Json(value) = members.next_value()?;
            // SECURITY: of two members of one name, readers differ on which one counts.
            if table.contains_key(&name) {
                return Err(de::Error::custom(format!("member {} stands twice", quoted(&name))));
            }
            table.insert(name, value);
        }
        Ok(Value::Table(table))
    }
}
