//! The registered claims of any payload, and claims of one's own: what is taken is JSON to serde_json too, and says the same
//! there.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_core::UnixTime;
use bartizan_tokens::{Limits, jws::UnvalidatedClaims};
use serde_json::Value;

fuzz_target!(|text: &str| {
    let Ok(claims) = UnvalidatedClaims::parse(text.to_owned(), &Limits::DEFAULT) else {
        return;
    };
    assert_eq!(claims.json(), text);
    let same: Value = serde_json::from_str(text).expect("what is taken is JSON");
    let texts = [("iss", claims.issuer()), ("sub", claims.subject()), ("jti", claims.id())];
    for (name, read) in texts {
        assert_eq!(read, same.get(name).and_then(Value::as_str), "{name}");
    }
    let dates = [("exp", claims.expires()), ("nbf", claims.not_before()), ("iat", claims.issued_at())];
    for (name, read) in dates {
        assert_eq!(read, same.get(name).and_then(Value::as_i64).map(UnixTime::from_secs), "{name}");
    }
    let audience = same.get("aud");
    let names: Vec<&str> = match audience {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    assert_eq!(claims.audiences().collect::<Vec<_>>(), names);
    let own: Value = claims.own().expect("any object is a value");
    assert!(is_same(&own, &same), "{own} and {same}");
    assert_eq!((claims.has_audience(), claims.is_bound()), (audience.is_some(), same.get("cnf").is_some()));
});

/// Doubles may be one step apart: serde_json does not take the nearest one unless it is told to.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let is_there =
                |(name, value): (&String, &Value)| other.get(name).is_some_and(|other| is_same(value, other));
            one.len() == other.len() && one.iter().all(is_there)
        }
        (Value::Number(one), Value::Number(other)) if one.is_f64() && other.is_f64() => {
            let (one, other) = (one.as_f64().unwrap_or_default(), other.as_f64().unwrap_or_default());
            (one - other).abs() <= one.abs() * 1e-15 || one == other
        }
        _ => one == other,
    }
}
