//! Paths and queries: nothing panics, and a token in a query is always refused.
#![no_main]

use http::{HeaderMap, HeaderValue, Uri, header::AUTHORIZATION};
use libfuzzer_sys::fuzz_target;

use bartizan_http::{bearer, check_path, check_query};

fuzz_target!(|text: &str| {
    let Ok(uri) = text.parse::<Uri>() else { return };
    let _ = check_path(&uri);
    let _ = check_query(&uri);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer abc"));
    let names_one =
        uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("access_token=")));
    assert!(!names_one || bearer(&headers, &uri).is_err());
});
