//! Strict reading of a request's JSON body into a type, with the fields named that do not fit.

use bartizan_core::json::{self, JsonFault, Limits};
use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::{Code, FieldError, Problem, objects::Objects};

/// Reads a body as JSON. [`Limits::REQUEST`] is enough for most.
///
/// The content type is `application/json`, with `charset=utf-8` or nothing behind it, once, and there is no content
/// encoding; the body is UTF-8 JSON within the limits (RFC 8259), in which no member stands twice; and it has the shape of
/// `T`, in which structs are objects and never lists. Give `T` the attribute `#[serde(deny_unknown_fields)]`.
///
/// # Errors
/// 415 for another content type or encoding, 413 for too many bytes, and 400 [`Code::ValidationError`] for everything else,
/// with the field that does not fit. The answer never repeats what was sent.
pub fn read_json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: &[u8],
    limits: &Limits,
) -> Result<T, Problem> {
    if !is_json(headers) {
        return Err(Problem::of(Code::UnsupportedMediaType));
    }
    if body.len() > limits.bytes {
        return Err(Problem::of(Code::PayloadTooLarge));
    }
    json::check(body, limits).map_err(|fault| whole(&fault))?;
    let mut reader = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(Objects(&mut reader)).map_err(|error| {
        let said = error.inner().to_string();
        Problem::fields([misfit(error.path(), &said)])
    })
}

/// `application/json` and nothing else, once (RFC 8259 section 11 has no parameters; `charset=utf-8` is common and harmless).
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else {
        return false;
    };
    let Ok(only) = only.to_str() else {
        return false;
    };
    let (essence, parameters) = only.split_once(';').unwrap_or((only, ""));
    let is_utf8 =
        matches!(parameters.trim().to_ascii_lowercase().as_str(), "" | "charset=utf-8" | "charset=\"utf-8\"");
    essence.trim().eq_ignore_ascii_case("application/json")
        && is_utf8
        && !headers.contains_key(CONTENT_ENCODING)
}

fn whole(fault: &JsonFault) -> Problem {
    Problem::fields([match fault {
        JsonFault::TooLarge => FieldError::new("", "too_large", "has too many levels or values"),
        JsonFault::Duplicate => FieldError::new("", "duplicate", "has a member that stands twice"),
        _ => FieldError::new("", "malformed", "is not valid JSON"),
    }])
}

/// What serde says, reduced to a fixed word. The wording of `serde::de::Error` is the only way in which it tells kinds apart;
/// what is not recognised becomes `invalid`.
fn misfit(path: &Path, said: &str) -> FieldError {
    if let Some(rest) = said.strip_prefix("missing field `") {
        let name = rest.split('`').next().unwrap_or_default();
        return FieldError::new(format!("{}/{}", pointer(path, 0), shown(name)), "required", "is required");
    }
    if said.starts_with("unknown field") {
        // The last segment is the name that the client made up.
        return FieldError::new(pointer(path, 1), "unknown_field", "has an unknown field");
    }
    if said.starts_with("invalid type") {
        return FieldError::new(pointer(path, 0), "type", "has the wrong type");
    }
    FieldError::new(pointer(path, 0), "invalid", "is not valid")
}

/// The path as a JSON pointer (RFC 6901), without its last `but` segments.
fn pointer(path: &Path, but: usize) -> String {
    let segments: Vec<&Segment> = path.iter().collect();
    let kept = segments.len().saturating_sub(but);
    segments
        .iter()
        .take(kept)
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", shown(key)),
            Segment::Enum { variant } => format!("/{}", shown(variant)),
            Segment::Unknown => "/?".to_owned(),
        })
        .collect()
}

/// A name as it may be shown: field names are the program's own, but the keys of a map are the client's.
fn shown(name: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if (1..=64).contains(&name.len()) && name.chars().all(plain) { name } else { "?" }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use http::HeaderValue;
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Patient {
        name: String,
        age: u8,
        #[serde(default)]
        visits: Vec<Visit>,
        #[serde(default)]
        notes: BTreeMap<String, u8>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Visit {
        day: String,
    }

    fn typed(content_type: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
        headers
    }

    fn read(body: &[u8]) -> Result<Patient, Problem> {
        read_json(&typed("application/json"), body, &Limits::REQUEST)
    }

    fn refused(body: &str) -> (String, &'static str) {
        let problem = read(body.as_bytes()).unwrap_err();
        assert_eq!(problem.code(), Code::ValidationError, "{body}");
        let [field] = problem.field_errors() else { panic!("{body}") };
        (field.pointer().to_owned(), field.code())
    }

    #[test]
    fn a_good_body_is_read() {
        let patient = read(br#"{"name":"Ada","age":36,"visits":[{"day":"Monday"}]}"#).unwrap();
        assert_eq!((patient.name.as_str(), patient.age, patient.visits.len()), ("Ada", 36, 1));
    }

    #[test]
    fn asvs_2_2_2_what_does_not_fit_is_refused_with_its_field() {
        let is = |pointer: &str, code| (pointer.to_owned(), code);
        assert_eq!(refused(r#"{"age":1}"#), is("/name", "required"));
        assert_eq!(refused(r#"{"name":"a","age":"1"}"#), is("/age", "type"));
        assert_eq!(refused(r#"{"name":"a","age":256}"#), is("/age", "invalid"));
        assert_eq!(refused(r#"{"name":"a","age":1,"admin":true}"#), is("", "unknown_field"));
        assert_eq!(
            refused(r#"{"name":"a","age":1,"visits":[{"day":"x"},{}]}"#),
            is("/visits/1/day", "required")
        );
        assert_eq!(
            refused(r#"{"name":"a","age":1,"visits":[{"day":"x","y":1}]}"#),
            is("/visits/0", "unknown_field")
        );
        assert_eq!(refused(r#"{"name":"a","age":1,"notes":{"a b~/c":"x"}}"#), is("/notes/?", "type"));
        assert_eq!(refused("[]"), is("", "type"));
        assert_eq!(refused("null"), is("", "type"));
    }

    #[test]
    fn bodies_with_two_readings_are_refused() {
        let is = |code| (String::new(), code);
        assert_eq!(refused(r#"{"name":"a","age":1,"age":2}"#), is("duplicate"));
        assert_eq!(refused(r#"{"name":"a","\u0061ge":1,"age":2}"#), is("duplicate"));
        assert_eq!(refused(r#"{"name":"a","age":1,"notes":{"x":1,"x":2}}"#), is("duplicate"));
        for bad in ["", "{", r#"{"name":"a","age":1}{}"#, "\u{feff}{}", r#"{"name":"\ud800","age":1}"#] {
            assert_eq!(refused(bad), is("malformed"), "{bad}");
        }
        assert_eq!(read(b"{\"name\":\"\xff\"}").unwrap_err().field_errors()[0].code(), "malformed");
        assert_eq!(refused(&"[".repeat(60_000)), is("too_large"));
        assert_eq!(refused(&format!("[{}1]", "1,".repeat(5_000))), is("too_large"));
    }

    #[test]
    fn too_many_bytes_are_a_413() {
        let body = |n: usize| format!("{}{}", r#"{"name":"a","age":1}"#, " ".repeat(n - 20)).into_bytes();
        assert!(read(&body(Limits::REQUEST.bytes)).is_ok());
        assert_eq!(read(&body(Limits::REQUEST.bytes + 1)).unwrap_err().code(), Code::PayloadTooLarge);
    }

    #[test]
    fn only_the_json_content_type_is_read() {
        let read = |headers: &HeaderMap| {
            read_json::<Vec<u8>>(headers, b"[]", &Limits::REQUEST).map_err(|p| p.code())
        };
        for good in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
        ] {
            assert_eq!(read(&typed(good)), Ok(vec![]), "{good}");
        }
        for bad in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=a",
            "text/json",
            "",
            "application/jsonp",
            "application/json; charset=utf-16",
            "application/json, text/plain",
            "application/json; q=1; charset=utf-8",
        ] {
            assert_eq!(read(&typed(bad)), Err(Code::UnsupportedMediaType), "{bad}");
        }
        assert_eq!(read(&HeaderMap::new()), Err(Code::UnsupportedMediaType));
        let mut twice = typed("application/json");
        twice.append(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        assert_eq!(read(&twice), Err(Code::UnsupportedMediaType));
        let mut zipped = typed("application/json");
        zipped.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert_eq!(read(&zipped), Err(Code::UnsupportedMediaType));
    }

    proptest! {
        #[test]
        fn no_answer_repeats_what_was_sent(key in "[a-z ]{0,8}", noise in "[\\PC]{0,40}") {
            let canary = "c4n4ry 5f1d";
            for body in [
                serde_json::json!({ "name": 1, canary: noise }),
                serde_json::json!({ "name": "a", "age": canary }),
                serde_json::json!({ "name": "a", "age": 1, "notes": { canary: key } }),
                serde_json::json!({ "name": "a", "age": 1, key: canary }),
            ] {
                if let Err(problem) = read(body.to_string().as_bytes()) {
                    let answer = problem.response(&crate::Rendering::default()).into_body();
                    prop_assert!(!String::from_utf8(answer).unwrap().contains("c4n4ry"));
                }
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = read(&bytes);
        }
    }
}
