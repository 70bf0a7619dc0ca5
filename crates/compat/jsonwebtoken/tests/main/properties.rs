//! What holds for all tokens.

use bartizan_compat_jsonwebtoken::{Header, danger_decode_header, encode};
use proptest::{collection::btree_map, prelude::*};
use serde_json::{Map, Value, json};

use crate::support::{NOW, judge, signs, validation};

/// JSON of three levels.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("x_[a-z]{1,4}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn what_is_encoded_is_decoded(own in btree_map("x_\\PC{0,6}", value(), 0..5), kid in "\\PC{0,40}", tier in value()) {
        let mut claims: Map<String, Value> = own.into_iter().collect();
        claims.insert("exp".into(), json!(NOW + 1));
        let mut header = Header { kid: Some(kid), ..Header::default() };
        header.extras.insert("tier", tier);
        let token = encode(&header, &claims, &signs()).unwrap();
        prop_assert_eq!(judge(&token, &validation()).unwrap(), Value::Object(claims));
        prop_assert_eq!(danger_decode_header(&token).unwrap(), header);
    }

    #[test]
    fn any_changed_character_is_refused(at in any::<prop::sample::Index>(), by in "[A-Za-z0-9_.=-]") {
        let token = encode(&Header::default(), &json!({"sub": "ada", "exp": NOW + 1}), &signs()).unwrap();
        let at = at.index(token.len());
        let changed = format!("{}{by}{}", &token[..at], &token[at + 1..]);
        prop_assert_eq!(judge(&changed, &validation()).is_ok(), changed == token);
    }

    #[test]
    fn no_text_is_anything_but_refused(text in "[A-Za-z0-9_-]{0,40}(\\.[A-Za-z0-9_-]{0,40}){0,3}|\\PC{0,40}") {
        prop_assert!(judge(&text, &validation()).is_err());
        let _ = danger_decode_header(&text);
    }
}
