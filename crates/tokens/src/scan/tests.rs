//! The scanner beside the reading over `serde_json`: the same verdict, reason and values for the same text.

use proptest::prelude::*;
use serde::{
    Deserializer,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor},
};

use super::*;
use crate::{
    strict::{Any, Reader, members},
    text::ClaimsText,
};

members! {
    enum Member {
        Text = "text",
        Name = "name",
        Names = "names",
        Either = "either",
        Number = "number",
        Inner = "inner",
    }
}

/// What was read, in order.
#[derive(Debug, PartialEq)]
enum Value {
    Text(String),
    Name(String),
    Names(Vec<String>),
    Number(u64),
    Other,
}

type Verdict = Result<Vec<Value>, (ErrorKind, Option<&'static str>)>;

const VALUES: usize = 12;
const DEPTH: usize = 4;
const MOST: usize = 3;

fn scanned(json: &str) -> Verdict {
    let read = Scanner::read(json, VALUES, DEPTH, |scan| {
        let mut seen = scan.members()?;
        let mut values = Vec::new();
        while let Some(member) = scan.next(&mut seen)? {
            values.push(match member {
                Some(Member::Text) => Value::Text(scan.string()?.into_owned()),
                Some(Member::Name) => {
                    let name = scan.name()?;
                    Value::Name(name.read(&text(scan)).to_owned())
                }
                Some(Member::Names) => {
                    let names = scan.names(MOST)?;
                    Value::Names(names.read(&text(scan)).map(str::to_owned).collect())
                }
                Some(Member::Either) => {
                    let names = scan.name_or_names(MOST)?;
                    Value::Names(names.read(&text(scan)).map(str::to_owned).collect())
                }
                Some(Member::Number) => Value::Number(scan.whole_number()?),
                Some(Member::Inner) | None => {
                    scan.skip()?;
                    Value::Other
                }
            });
        }
        Ok(values)
    });
    read.map_err(|error| (error.kind(), error.claim()))
}

/// What places are places in, as far as it was scanned.
fn text(scan: &Scanner<'_>) -> String {
    let mut text = ClaimsText::new(scan.json.to_owned());
    text.append(&scan.unescaped);
    text.all().to_owned()
}

fn through_serde(json: &str) -> Verdict {
    let read = Reader::of_token(VALUES, DEPTH).read(json, |reader, text| Oracle(reader).deserialize(text));
    read.map_err(|error| (error.kind(), error.claim()))
}

struct Oracle<'r>(&'r mut Reader);

impl<'de> DeserializeSeed<'de> for Oracle<'_> {
    type Value = Vec<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Value>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Oracle<'_> {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Vec<Value>, A::Error> {
        let reader = self.0;
        reader.enter()?;
        let mut seen = strict::Seen::nothing();
        let mut values = Vec::new();
        while let Some(member) = seen.next(reader, &mut members)? {
            values.push(match member {
                Some(Member::Text) => Value::Text(members.next_value_seed(strict::Text)?.into_owned()),
                Some(Member::Name) => Value::Name(members.next_value_seed(OracleName)?),
                Some(Member::Names) => Value::Names(members.next_value_seed(OracleNames(reader))?),
                Some(Member::Either) => Value::Names(members.next_value_seed(OracleEither(reader))?),
                Some(Member::Number) => Value::Number(members.next_value_seed(OracleNumber)?),
                Some(Member::Inner) | None => {
                    members.next_value_seed(Any(reader))?;
                    Value::Other
                }
            });
        }
        reader.leave();
        Ok(values)
    }
}

struct OracleName;

impl<'de> DeserializeSeed<'de> for OracleName {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        let text = strict::Text.deserialize(deserializer)?;
        if is_name(&text) { Ok(text.into_owned()) } else { Err(serde::de::Error::custom("no name")) }
    }
}

struct OracleNames<'r>(&'r mut Reader);

impl<'de> DeserializeSeed<'de> for OracleNames<'_> {
    type Value = Vec<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<String>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for OracleNames<'_> {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<String>, A::Error> {
        self.0.enter()?;
        let mut names = Vec::new();
        while let Some(name) = elements.next_element_seed(OracleName)? {
            self.0.count()?;
            if names.len() == MOST {
                return Err(self.0.too_large());
            }
            names.push(name);
        }
        self.0.leave();
        Ok(names)
    }
}

struct OracleEither<'r>(&'r mut Reader);

impl<'de> DeserializeSeed<'de> for OracleEither<'_> {
    type Value = Vec<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<String>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OracleEither<'_> {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a name or names")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Vec<String>, E> {
        if is_name(text) { Ok(vec![text.to_owned()]) } else { Err(E::custom("no name")) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Vec<String>, A::Error> {
        OracleNames(self.0).visit_seq(elements)
    }
}

struct OracleNumber;

impl<'de> DeserializeSeed<'de> for OracleNumber {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_i64(self)
    }
}

impl Visitor<'_> for OracleNumber {
    type Value = u64;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("digits")
    }

    fn visit_u64<E>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }
}

/// Pieces that JSON is made of, and such that break it.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    " ",
    "\n",
    "\t",
    "\r",
    "\"",
    "\\",
    "\"text\"",
    "\"name\"",
    "\"names\"",
    "\"either\"",
    "\"number\"",
    "\"inner\"",
    "\"own\"",
    "\"TEXT\"",
    "\"\\u0074ext\"",
    "\"ﬁ\"",
    "\"te\u{17f}t\"",
    "\"\"",
    "\"a\"",
    "\"ab\"",
    "\"seventeen letters\"",
    "\"\u{7f}\"",
    "\"é\"",
    "\"\u{202e}\"",
    "\"\\n\"",
    "\"\\u00e9\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"",
    "\"\\ude00\"",
    "\"\\ud83d\\n\"",
    "\"\\u12\"",
    "\"\\x\"",
    "\"\u{1f}\"",
    "\"$serde_json::private::RawValue\"",
    "\"$serde_json::private::Number\"",
    "0",
    "1",
    "-1",
    "-0",
    "01",
    "1.5",
    "1.",
    ".5",
    "1e3",
    "1E+3",
    "1e",
    "1e-400",
    "1e400",
    "0e999999999999",
    "-",
    "+1",
    "18446744073709551615",
    "18446744073709551616",
    "true",
    "false",
    "null",
    "tru",
    "nul",
    "NaN",
    "\u{feff}",
    "\u{a0}",
    "x",
];

fn piece() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(PIECES)
}

/// A value that is mostly well formed.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![4 => piece().prop_map(str::to_owned), 1 => quoted()];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5)
                .prop_map(|values| format!("[{}]", values.join(","))),
            proptest::collection::vec((member_name(), inner), 0..5).prop_map(object),
        ]
    })
}

fn quoted() -> impl Strategy<Value = String> {
    proptest::collection::vec(any::<char>(), 0..20).prop_map(|chars| {
        let text = chars.into_iter().collect::<String>();
        serde_json::to_string(&text).unwrap()
    })
}

fn member_name() -> impl Strategy<Value = String> {
    let known = proptest::sample::select(&[
        "text", "name", "names", "either", "number", "inner", "own", "Own", "NAME",
    ]);
    prop_oneof![6 => known.prop_map(|name| format!("\"{name}\"")), 1 => piece().prop_map(str::to_owned)]
}

fn object(members: Vec<(String, String)>) -> String {
    let members: Vec<_> = members.into_iter().map(|(name, value)| format!("{name}:{value}")).collect();
    format!("{{{}}}", members.join(","))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 3_000 }))]

    #[test]
    fn any_row_of_pieces_is_judged_as_through_serde(pieces in proptest::collection::vec(piece(), 0..24)) {
        let json = pieces.concat();
        prop_assert_eq!(scanned(&json), through_serde(&json), "{}", json);
    }

    #[test]
    fn any_object_is_judged_as_through_serde(members in proptest::collection::vec((member_name(), value()), 0..6)) {
        let json = object(members);
        prop_assert_eq!(scanned(&json), through_serde(&json), "{}", json);
    }

    #[test]
    fn any_changed_byte_is_judged_as_through_serde(
        members in proptest::collection::vec((member_name(), value()), 1..6),
        place in any::<proptest::sample::Index>(),
        byte in 0_u8..0x80,
    ) {
        let mut json = object(members).into_bytes();
        let place = place.index(json.len());
        json[place] = byte;
        if let Ok(json) = std::str::from_utf8(&json) {
            prop_assert_eq!(scanned(json), through_serde(json), "{}", json);
        }
    }

    #[test]
    fn every_text_comes_back(text in any::<String>(), before in 0_usize..9) {
        let json = format!("{}{{\"text\":{}}}", " ".repeat(before), serde_json::to_string(&text).unwrap());
        prop_assert_eq!(scanned(&json), Ok(vec![Value::Text(text)]));
    }
}

/// At every distance from the end of the text and of a run of eight.
#[test]
fn every_byte_at_every_place_of_a_string_is_judged_as_through_serde() {
    for length in 0..18 {
        for place in 0..length {
            for byte in 0..0x80 {
                let mut text = vec![b'a'; length];
                text[place] = byte;
                let text = String::from_utf8(text).unwrap();
                for json in [
                    format!(r#"{{"name":"{text}"}}"#),
                    format!(r#"{{"name":"{text}""#),
                    format!(r#"{{"own":"{text}"}}          "#),
                ] {
                    assert_eq!(scanned(&json), through_serde(&json), "{json}");
                }
            }
        }
    }
}

#[test]
fn every_member_comes_once_in_any_spelling() {
    let twice = |about: Option<&'static str>| Err((ErrorKind::Duplicate, about));
    for (json, expected) in [
        (r#"{"text":"x","text":"x"}"#, twice(Some("text"))),
        (r#"{"text":"x","\u0074ext":"x"}"#, twice(Some("text"))),
        (r#"{"TEXT":1}"#, twice(None)),
        (r#"{"a":1,"a":1}"#, twice(None)),
        (r#"{"a":1,"\u0061":1}"#, twice(None)),
        (r#"{"\u0061":1,"a":1}"#, twice(None)),
        (r#"{"a":{"d":1,"\u0064":1}}"#, twice(None)),
        (r#"{"inner":{"d":1,"d":1}}"#, twice(Some("inner"))),
    ] {
        assert_eq!(scanned(json), expected, "{json}");
        assert_eq!(through_serde(json), expected, "{json}");
    }
}

#[test]
fn limits_hold_at_the_exact_number() {
    for (json, is_within) in [
        (r#"{"a":[[[1]]]}"#, true),
        (r#"{"a":[[[[]]]]}"#, false),
        (r#"{"a":[1,2,3,4,5,6,7,8,9,10,11]}"#, true),
        (r#"{"a":[1,2,3,4,5,6,7,8,9,10,11,12]}"#, false),
        // Depth is given back: siblings do not add up.
        (r#"{"a":[[[1]]],"b":[[[1]]],"c":{"d":{"e":1}}}"#, true),
    ] {
        let expected = if is_within { None } else { Some((ErrorKind::TooLarge, None)) };
        assert_eq!(scanned(json).err(), expected, "{json}");
    }
}

#[test]
fn a_thousand_names_of_one_object_are_told_apart() {
    let many: String = (0..1_000).map(|i| format!(r#""n{i}":1,"#)).collect();
    let verdict =
        |last: &str| Scanner::read(&format!(r#"{{{many}"{last}":1}}"#), 2_000, 4, |scan| scan.skip());
    assert!(verdict("z").is_ok());
    for twice in ["n0", "n7", "n8", "n999", "\\u006e0", "\\u006e999"] {
        assert_eq!(verdict(twice).unwrap_err().kind(), ErrorKind::Duplicate, "{twice}");
    }
}

#[test]
fn what_is_no_json_is_malformed() {
    for bad in [
        "",
        "[]",
        "1",
        "null",
        "{",
        "{}x",
        "{} {}",
        "\u{feff}{}",
        r#"{"text":"\ud800"}"#,
        r#"{"a":1e400}"#,
        "{a:1}",
    ] {
        assert_eq!(scanned(bad), Err((ErrorKind::Malformed, None)), "{bad}");
    }
}
