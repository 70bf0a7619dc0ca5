//! The Authorization header, once and twice: a token that is taken stands in it, after `Bearer `.
#![no_main]

use http::{HeaderMap, HeaderValue, Uri, header::AUTHORIZATION};
use libfuzzer_sys::fuzz_target;

use bartizan_http::bearer;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let mut headers = HeaderMap::new();
    headers.append(AUTHORIZATION, value.clone());
    let uri = Uri::from_static("/patients?page=2");
    if let Ok(token) = bearer(&headers, &uri) {
        let token = token.untrusted().as_bytes();
        assert!(!token.is_empty() && bytes.ends_with(token));
        assert!(bytes[..7].eq_ignore_ascii_case(b"bearer "));
    }
    headers.append(AUTHORIZATION, value);
    assert!(bearer(&headers, &uri).is_err(), "twice");
});
