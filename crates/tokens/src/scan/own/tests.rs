//! Claims of one's own beside what `serde_json` reads of the same text into the same type.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Debug,
};

use proptest::prelude::*;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;

use super::{super::Members, *};
use crate::{
    Error, ErrorKind, Limits,
    claims::{Claims, Name, Names},
    text::ClaimsText,
};

/// Through the claims of an access token, and through what is done for a token that was found in a cache.
fn read<T: DeserializeOwned + PartialEq + Debug>(json: &str) -> Result<T, ErrorKind> {
    let (mut claims, mut members, mut text) =
        (Claims::default(), Members::new(), ClaimsText::new(json.to_owned()));
    let kind = |error: Error| error.kind();
    let unescaped = claims.read(json, &Names::of_access_tokens(), &Limits::DEFAULT, &mut members);
    text.append(&unescaped.map_err(kind)?);
    let own = members.read::<T, Name>(text.all()).map_err(kind);
    assert_eq!(own, Members::read_again::<T, Name>(json, claims.present).map_err(kind), "{json}");
    own
}

/// The same value, or no value for both.
fn same<T: DeserializeOwned + PartialEq + Debug>(json: &str) {
    let expected = serde_json::from_str::<T>(json).map_err(|_| ErrorKind::ClaimType);
    assert_eq!(read::<T>(json), expected, "{json} as {}", std::any::type_name::<T>());
}

#[derive(Debug, Deserialize, PartialEq)]
struct Field<T> {
    x: T,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Unit;

#[derive(Debug, Deserialize, PartialEq)]
struct New(u8);

#[derive(Debug, Deserialize, PartialEq)]
struct Pair(u8, String);

#[derive(Debug, Deserialize, PartialEq)]
enum Outside {
    Unit,
    New(u8),
    Pair(u8, String),
    Struct { x: u8 },
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "kind")]
enum Inside {
    A { x: u8 },
    B,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(untagged)]
enum Either {
    Number(i64),
    Text(String),
    Texts(Vec<String>),
    Inner(Field<bool>),
}

/// Values as they may stand in a token. Doubles are such that two ways of reading them agree.
const VALUES: [&str; 64] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-1",
    "7.5",
    "1e3",
    "-2E-1",
    "127",
    "128",
    "255",
    "256",
    "-128",
    "65536",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "-170141183460469231731687303715884105728",
    "340282366920938463463374607431768211455",
    "340282366920938463463374607431768211456",
    "1.0",
    r#""""#,
    r#""x""#,
    r#""é""#,
    r#""xy""#,
    r#""\u0078""#,
    r#""\ud83d\ude00 \"\\\/\b\f\n\r\t""#,
    r#""Unit""#,
    r#""New""#,
    r#""B""#,
    r#""1""#,
    r#""abcdefgh""#,
    r#""abcdefghijklmnopqrstuvwxyz""#,
    "[]",
    "[1]",
    "[1,2]",
    "[1,\"x\"]",
    "[1,\"x\",2]",
    "[ 1 , \"x\" ]",
    r#"["a","b"]"#,
    r#"["\u0061",null]"#,
    "[[1],[]]",
    "[null]",
    "{}",
    r#"{"x":1}"#,
    r#"{ "x" : 1 }"#,
    r#"{"x":1,"y":[{"z":null}]}"#,
    r#"{"x":true}"#,
    r#"{"\u0078":7}"#,
    r#"{"1":1,"2":2}"#,
    r#"{"-1":1,"01":2}"#,
    r#"{"true":1}"#,
    r#"{"New":1}"#,
    r#"{"Unit":null}"#,
    r#"{"Pair":[1,"x"]}"#,
    r#"{"Struct":{"x":1}}"#,
    r#"{"kind":"A","x":1}"#,
    r#"{"New":1,"Unit":null}"#,
];

fn all_types(json: &str) {
    macro_rules! types {
        ($($type:ty,)*) => { $(same::<Field<$type>>(json); same::<Field<Option<$type>>>(json);)* };
    }
    types! {
        bool, i8, i16, i32, i64, i128, u8, u16, u32, u64, u128, f32, f64, char, String, Box<str>, (), Unit, New, Pair, (u8,),
        (u8, String), [u8; 1], Vec<u8>, Vec<String>, Vec<Option<String>>, Vec<Vec<u8>>, Field<u8>, Vec<Field<u8>>, Outside,
        Inside, Either, Value, Vec<Value>, BTreeMap<String, Value>, HashMap<u8, u8>, HashMap<i64, u8>,
        BTreeMap<char, u8>, Bytes,
    }
    // `serde_json` 1.0.154 cuts a name that is no `bool` within its first character, and may panic over what is left.
    if json.is_ascii() {
        same::<Field<HashMap<bool, u8>>>(json);
    }
    same::<Value>(json);
    same::<HashMap<String, Value>>(json);
    same::<Option<Field<Value>>>(json);
    same::<Vec<u8>>(json);
    same::<Unit>(json);
    same::<()>(json);
    same::<u8>(json);
    same::<String>(json);
}

#[test]
fn every_type_reads_every_value_as_serde_json_does() {
    for value in VALUES {
        all_types(&format!(r#"{{"x":{value}}}"#));
    }
}

#[test]
fn members_that_are_not_asked_for_are_passed_by() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Own {
        email: String,
        #[serde(default)]
        seats: Vec<u8>,
    }
    for value in VALUES {
        let json = format!(r#"{{"a":{value},"email":"a@b","b":{value},"seats":[1],"c":{value}}}"#);
        same::<Own>(&json);
        assert!(read::<Own>(&json).is_ok());
        same::<Value>(&json);
    }
}

#[test]
fn names_with_escapes_and_many_members_are_found() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Own {
        last: u8,
        #[serde(rename = "né\"")]
        quoted: u8,
    }
    for count in [0, 1, 14, 15, 16, 17, 40] {
        let others: String = (0..count).map(|n| format!(r#""o{n}":[{n}],"#)).collect();
        let json = format!(r#"{{{others}"sub":"\u0061da","n\u00e9\"":2,"\u006cast":3}}"#);
        same::<Own>(&json);
        same::<BTreeMap<String, Value>>(&json);
        assert_eq!(read::<Own>(&json), Ok(Own { last: 3, quoted: 2 }));
    }
}

const ALL: &str =
    r#"{"iss":"i","sub":"ada","aud":["a"],"exp":3,"iat":2,"jti":"j","client_id":"c","roles":["r"],"own":1}"#;

#[test]
fn registered_claims_are_there_for_whoever_names_them() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Copied {
        sub: String,
        exp: i64,
        aud: Vec<String>,
        #[serde(alias = "client_id")]
        client: String,
    }
    #[derive(Debug, Deserialize, PartialEq)]
    struct Flat {
        own: u8,
        #[serde(flatten)]
        all: BTreeMap<String, Value>,
    }
    same::<Copied>(ALL);
    same::<Flat>(ALL);
    same::<Value>(ALL);
    assert_eq!(read::<Copied>(ALL).unwrap().exp, 3);
    assert!(read::<Flat>(ALL).unwrap().all.contains_key("iss"));
}

/// Registered claims are the library's; they are no strangers to a type that knows all of its own.
#[test]
fn a_type_that_denies_strangers_is_shown_no_registered_claims() {
    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Own {
        own: u8,
    }
    assert_eq!(read::<Own>(ALL), Ok(Own { own: 1 }));
    let stranger = ALL.replace(r#""own""#, r#""x":1,"own""#);
    assert_eq!(read::<Own>(&stranger), Err(ErrorKind::ClaimType));
}

/// A type written by hand, that names no fields and takes what it wants.
#[test]
fn whoever_names_no_field_sees_all() {
    #[derive(Debug, PartialEq)]
    struct Count(usize);
    impl<'de> Deserialize<'de> for Count {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_struct("Count", &[], Counter)
        }
    }
    struct Counter;
    impl<'de> Visitor<'de> for Counter {
        type Value = Count;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Count, A::Error> {
            let mut count = 0;
            while map.next_entry::<String, IgnoredAny>()?.is_some() {
                count += 1;
            }
            Ok(Count(count))
        }
    }
    same::<Count>(ALL);
    assert_eq!(read::<Count>(ALL), Ok(Count(9)));
}

/// Whoever stops in the middle has not read all of it.
#[test]
fn what_is_left_over_is_refused() {
    #[derive(Debug, PartialEq)]
    struct First;
    impl<'de> Deserialize<'de> for First {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(Stops)
        }
    }
    struct Stops;
    impl<'de> Visitor<'de> for Stops {
        type Value = First;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<First, A::Error> {
            map.next_entry::<String, IgnoredAny>()?;
            Ok(First)
        }
    }
    for json in
        [r#"{"x":1}"#, r#"{"x":1,"y":2}"#, r#"{"x":{"y":1}}"#, r#"{"x":{"y":1,"z":2}}"#, r#"{"x":{}}"#]
    {
        same::<First>(json);
        same::<Field<First>>(json);
    }
}

#[test]
fn a_name_that_is_no_bool_is_refused_whatever_characters_it_has() {
    for name in ["é", "t", "tru", "truee", "True", "", "\\u00e9", "f"] {
        let json = format!(r#"{{"x":{{"{name}":1}}}}"#);
        assert_eq!(read::<Field<HashMap<bool, u8>>>(&json), Err(ErrorKind::ClaimType), "{name}");
    }
}

/// As `serde_json::value::RawValue` asks for its text, which is behind a feature that is off here.
#[test]
fn a_raw_value_is_the_text_that_was_signed() {
    #[derive(Debug, PartialEq)]
    struct Raw(String);
    impl<'de> Deserialize<'de> for Raw {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_newtype_struct(RAW_VALUE, Takes)
        }
    }
    struct Takes;
    impl<'de> Visitor<'de> for Takes {
        type Value = Raw;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any value")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
            let (name, text): (String, String) = map.next_entry()?.unwrap();
            assert_eq!(name, RAW_VALUE);
            Ok(Raw(text))
        }
    }
    for value in VALUES {
        let json = format!(r#"{{"a":1, "x": {value} ,"b":2}}"#);
        assert_eq!(read::<Field<Raw>>(&json), Ok(Field { x: Raw(value.to_owned()) }));
        assert_eq!(read::<Raw>(&json), Ok(Raw(json)));
    }
}

#[test]
fn errors_say_nothing_of_the_text() {
    let error = serde::de::Error::custom("canary");
    let (shown, debugged) = (format!("{error}"), format!("{error:?}"));
    let _: Unreadable = error;
    assert!(!shown.contains("canary") && !debugged.contains("canary"));
}

/// What serde calls bytes.
#[derive(Debug, PartialEq)]
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Takes;
        impl<'de> Visitor<'de> for Takes {
            type Value = Bytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Bytes, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = seq.next_element()? {
                    bytes.push(byte);
                }
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Takes)
    }
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        proptest::sample::select(&VALUES[..]).prop_map(str::to_owned),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let space = proptest::sample::select(&["", " ", "\n\t"][..]);
        prop_oneof![
            (proptest::collection::vec(inner.clone(), 0..4), space.clone())
                .prop_map(|(values, space)| format!("[{space}{}]", values.join(&format!("{space},")))),
            (proptest::collection::btree_map("[a-z\"é]{0,9}", inner, 0..4), space).prop_map(
                |(members, space)| {
                    let members: Vec<_> = members
                        .iter()
                        .map(|(name, value)| {
                            format!("{}{space}:{space}{value}", serde_json::to_string(name).unwrap())
                        })
                        .collect();
                    format!("{{{}}}", members.join(","))
                }
            ),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn any_value_is_what_serde_json_makes_of_it(value in value()) {
        all_types(&format!(r#"{{"x":{value}}}"#));
        all_types(&format!(r#"{{"kind":{value},"y":{value}, "x" : {value}}}"#));
    }
}
