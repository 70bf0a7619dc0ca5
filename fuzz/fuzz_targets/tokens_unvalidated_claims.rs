//! The registered claims of any payload: what is taken is JSON to serde_json too, and says the same there.
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
    assert_eq!((claims.has_audience(), claims.is_bound()), (audience.is_some(), same.get("cnf").is_some()));
});
