//! Claims of one's own beside what `serde_json` writes, and held to what our own verifier reads.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::ser::SerializeStruct;
use serde_json::{Map, Value, json};

use super::*;
use crate::{
    Limits, claims,
    claims::{Claims, Names},
};

const LIMITS: Limits = Limits::DEFAULT;

/// The claims, with an `iss` before them.
fn written(own: &(impl Serialize + ?Sized)) -> Result<String, ErrorKind> {
    let mut out = br#"{"iss":"i""#.to_vec();
    let mut writer = Writer::new(&mut out, LIMITS.values - 1, LIMITS.depth - 1);
    let is_taken = |name: &str| claims::is_registered(name) || name == "taken";
    writer.members(own, &is_taken).map_err(|error| error.kind())?;
    out.push(b'}');
    let text = String::from_utf8(out).unwrap();
    // Nothing is written that is not read.
    Claims::default().read(&text, &Names::of_access_tokens(), &LIMITS, &mut ()).unwrap();
    Ok(text)
}

/// The same members as `serde_json` writes.
fn same(own: &(impl Serialize + ?Sized)) {
    let mut expected = Map::from_iter([("iss".to_owned(), json!("i"))]);
    expected.append(serde_json::to_value(own).unwrap().as_object_mut().unwrap());
    let read: Map<String, Value> = serde_json::from_str(&written(own).unwrap()).unwrap();
    assert_eq!(read, expected);
}

#[derive(Serialize)]
struct Field<T> {
    x: T,
}

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct New<T>(T);

#[derive(Serialize)]
struct Pair(u8, &'static str);

#[derive(Serialize)]
enum Kinds {
    Unit,
    New(u8),
    Pair(u8, Vec<u8>),
    Struct { x: u8, y: Option<&'static str> },
}

#[test]
fn every_kind_of_value_is_written_as_serde_json_does() {
    macro_rules! same {
        ($($value:expr,)*) => { $(same(&Field { x: $value }); same(&Some(New(Field { x: vec![$value, $value] })));)* };
    }
    same! {
        true, false, 0_u8, 255_u8, -128_i8, 127_i8, u16::MAX, i16::MIN, u32::MAX, i32::MIN, u64::MAX, i64::MIN, i64::MAX, -1_i64,
        0.5_f32, 1.0_f64, -1.5e-9_f64, 1e300_f64, 16_777_216.0_f32, f64::MIN_POSITIVE, 'x', 'é', '"', "", "x", "é\\\"\n\u{1}\u{7f}",
        String::from("owned"), (), Unit, New("x"), Pair(1, "x"), (1, "x", [true]), None::<u8>, Some(1), Kinds::Unit, Kinds::New(1),
        Kinds::Pair(1, vec![2, 3]), Kinds::Struct { x: 1, y: None }, Kinds::Struct { x: 1, y: Some("y") }, Vec::<u8>::new(),
        [[1_u8; 2]; 2], BTreeMap::<&str, u8>::new(), BTreeMap::from([("a", 1), ("b\"", 2)]), BTreeMap::from([(1_u64, 'x')]),
        BTreeMap::from([(-1_i8, 'x')]), BTreeMap::from([('c', 1)]), BTreeMap::from([(true, 1)]), BTreeMap::from([(New("n"), 1)]),
        json!({"a": [null, {"b": 1.25}], "c": "d"}),
    }
    same(&BTreeMap::from([("own", 1), ("é", 2)]));
    same(&json!({"own": {"own": {"own": 1}}}));
    let bytes = written(&Field { x: Bytes(b"ab") }).unwrap();
    assert_eq!(bytes, r#"{"iss":"i","x":[97,98]}"#);
    assert_eq!(written(&Field { x: u128::MAX }).unwrap(), format!(r#"{{"iss":"i","x":{}}}"#, u128::MAX));
    assert_eq!(written(&Field { x: i128::MIN }).unwrap(), format!(r#"{{"iss":"i","x":{}}}"#, i128::MIN));
}

impl PartialEq for New<&str> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for New<&str> {}

impl PartialOrd for New<&str> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for New<&str> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(other.0)
    }
}

struct Bytes(&'static [u8]);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

#[test]
fn nothing_has_no_members() {
    for nothing in [written(&()), written(&Unit), written(&None::<Field<u8>>), written(&Map::new())] {
        assert_eq!(nothing.unwrap(), r#"{"iss":"i"}"#);
    }
}

#[test]
fn what_is_neither_struct_nor_map_is_refused() {
    let refused = [
        written(&1),
        written("x"),
        written(&true),
        written(&[Field { x: 1 }]),
        written(&(1, 2)),
        written(&Pair(1, "x")),
        written(&Kinds::Unit),
        written(&Kinds::New(1)),
        written(&Kinds::Pair(1, vec![])),
        written(&Kinds::Struct { x: 1, y: None }),
        written(&json!([])),
    ];
    for refused in refused {
        assert_eq!(refused, Err(ErrorKind::Claim));
    }
}

#[test]
fn names_that_mean_something_else_are_refused() {
    let long = "x".repeat(256);
    for name in [
        "iss", "Sub", "EXP", "cnf", "roles", "taken", "", "a\nb", "\u{202e}", &long, NUMBER, RAW_VALUE, "ſub",
    ] {
        assert_eq!(written(&BTreeMap::from([(name, 1)])), Err(ErrorKind::Claim), "{name}");
        let is_ours_alone = name != NUMBER && name != RAW_VALUE;
        let within = written(&Field { x: BTreeMap::from([(name, 1)]) });
        assert_eq!(within.is_ok(), is_ours_alone, "{name}");
    }
    assert!(written(&BTreeMap::from([("Taken", 1)])).is_ok());
}

#[test]
fn a_name_stands_once_at_every_level() {
    /// As two fields of one name, or a flattened map, write it.
    struct Twice(usize);
    impl Serialize for Twice {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
            let mut open = serializer.serialize_struct("Twice", self.0 + 1)?;
            for name in names.into_iter().take(self.0) {
                open.serialize_field(name, &1)?;
            }
            open.serialize_field("a", &2)?;
            open.end()
        }
    }
    assert!(written(&Twice(0)).is_ok());
    for others in 1..=12 {
        assert_eq!(written(&Twice(others)), Err(ErrorKind::Claim), "{others}");
        assert_eq!(written(&Field { x: [Twice(others)] }), Err(ErrorKind::Claim), "{others}");
    }
}

#[test]
fn what_is_no_number_and_what_is_no_name_is_refused() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(written(&Field { x: number }), Err(ErrorKind::Claim));
        #[expect(clippy::cast_possible_truncation, reason = "None of them is a number, in either size.")]
        let single = number as f32;
        assert_eq!(written(&Field { x: [single] }), Err(ErrorKind::Claim));
    }
    struct Keyed<K>(K);
    impl<K: Serialize> Serialize for Keyed<K> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map([(&self.0, 1)])
        }
    }
    assert!(written(&Keyed("own")).is_ok());
    let refused = [
        written(&Keyed(1.5)),
        written(&Keyed(())),
        written(&Keyed(Some("x"))),
        written(&Keyed(None::<u8>)),
        written(&Keyed(["x"])),
        written(&Keyed(Unit)),
        written(&Keyed(Field { x: 1 })),
        written(&Keyed(Kinds::New(1))),
        written(&Keyed(Bytes(b"x"))),
    ];
    for refused in refused {
        assert_eq!(refused, Err(ErrorKind::Claim));
    }
}

#[test]
fn limits_are_those_of_the_verifier_to_the_last_value() {
    let list = |count: usize| Field { x: vec![1; count] };
    assert!(written(&list(LIMITS.values - 2)).is_ok());
    assert_eq!(written(&list(LIMITS.values - 1)), Err(ErrorKind::TooLarge));
    let map = |count: usize| (0..count).map(|n| (format!("own{n}"), 1)).collect::<BTreeMap<_, _>>();
    assert!(written(&map(LIMITS.values - 1)).is_ok());
    assert_eq!(written(&map(LIMITS.values)), Err(ErrorKind::TooLarge));
    let deep = |levels: usize| Field { x: (0..levels).fold(json!(1), |inner, _| json!([inner])) };
    assert!(written(&deep(LIMITS.depth - 1)).is_ok());
    assert_eq!(written(&deep(LIMITS.depth)), Err(ErrorKind::TooLarge));
    let variants = |levels: usize| {
        #[derive(Serialize)]
        enum Chain {
            End,
            Next(Box<Self>),
            Pair(Box<Self>, u8),
        }
        Field {
            x: (0..levels).fold(Chain::End, |inner, n| match n % 2 {
                0 => Chain::Next(inner.into()),
                _ => Chain::Pair(inner.into(), 1),
            }),
        }
    };
    // A pair takes two levels, the object of its variant and its array.
    assert!(written(&variants(10)).is_ok());
    assert_eq!(written(&variants(11)), Err(ErrorKind::TooLarge));
}

/// As numbers of `serde_json` write themselves when its feature `arbitrary_precision` is on, which is off here.
#[test]
fn a_number_in_digits_is_written_as_it_stands() {
    struct Digits(&'static str);
    impl Serialize for Digits {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut open = serializer.serialize_struct(NUMBER, 1)?;
            open.serialize_field(NUMBER, self.0)?;
            open.end()
        }
    }
    for good in ["0", "-1", "1.50", "123456789012345678901234567890", "1e5"] {
        assert_eq!(written(&Field { x: Digits(good) }).unwrap(), format!(r#"{{"iss":"i","x":{good}}}"#));
        assert_eq!(written(&Field { x: [Digits(good)] }).unwrap(), format!(r#"{{"iss":"i","x":[{good}]}}"#));
    }
    for bad in ["", "x", "01", "1,\"sub\":2", "\"1\"", " 1", "1 ", "1e999", "null", "+1", "NaN"] {
        assert_eq!(written(&Field { x: Digits(bad) }), Err(ErrorKind::Claim), "{bad}");
    }
    assert_eq!(written(&Digits("1")), Err(ErrorKind::Claim));
}

#[test]
fn a_raw_value_is_refused() {
    struct Raw;
    impl Serialize for Raw {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut open = serializer.serialize_struct(RAW_VALUE, 1)?;
            open.serialize_field(RAW_VALUE, r#"1,"sub":2"#)?;
            open.end()
        }
    }
    assert_eq!(written(&Raw), Err(ErrorKind::Claim));
    assert_eq!(written(&Field { x: Raw }), Err(ErrorKind::Claim));
}

#[test]
fn errors_say_nothing_of_the_claims() {
    let error: Refused = serde::ser::Error::custom("canary");
    assert!(!format!("{error} {error:?}").contains("canary"));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_value_comes_back(members in proptest::collection::btree_map("own_[a-z\"é]{1,12}", value(), 0..6)) {
        let text = written(&members).unwrap();
        let mut read: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
        read.remove("iss");
        let through_text = |value: &Value| serde_json::from_str::<Value>(&value.to_string()).unwrap();
        let expected: BTreeMap<_, _> = members.iter().map(|(name, value)| (name.clone(), through_text(value))).collect();
        prop_assert_eq!(read, expected);
    }
}
