//! JSON: what the strict reader takes, serde_json takes too, and it goes round on one line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;

use bartizan_core::json::{self, Limits};

fuzz_target!(|text: &[u8]| {
    if json::check(text, &Limits::REQUEST).is_err() {
        return;
    }
    let value: Value = serde_json::from_slice(text).expect("strict is stricter");
    let mut line = Vec::new();
    json::write_one_line(&value, &mut line).expect("a value has a JSON form");
    assert!(!line.iter().any(|byte| *byte < 0x20 || *byte == 0x7f), "one line");
    // Escapes may make it longer than the limit, never of another meaning.
    let wide = Limits { bytes: usize::MAX, ..Limits::REQUEST };
    let again: Value = json::read(&line, &wide).expect("it reads back");
    assert!(same(&value, &again), "it reads back the same");
});

/// Equal, but for the last bit of fractions, which serde_json does not promise to keep.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| same(one, other)))
        }
        (Value::Number(one), Value::Number(other)) if one.is_f64() => other.is_f64(),
        _ => one == other,
    }
}
