//! The Cookie header, once and twice: what is taken is the one cookie of its name, as it stands there.
#![no_main]

use http::{HeaderMap, HeaderValue, header::COOKIE};
use libfuzzer_sys::fuzz_target;

use bartizan_http::{DeviceCookie, SessionCookie};

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let mut headers = HeaderMap::new();
    headers.append(COOKIE, value.clone());
    let _ = DeviceCookie::read(&headers);
    if let Ok(Some(credential)) = SessionCookie::read(&headers) {
        let pair = format!("__Host-sid={}", credential.untrusted());
        let text = String::from_utf8_lossy(bytes);
        assert!(!credential.untrusted().contains([';', ',', '"', ' ', '\\', '%']));
        let named = text.split(';').filter(|part| {
            let name = part.split('=').next().unwrap_or_default();
            name.trim_ascii().eq_ignore_ascii_case(SessionCookie::NAME)
        });
        assert_eq!(named.count(), 1);
        assert!(text.split(';').any(|part| part.strip_prefix(' ').unwrap_or(part) == pair));
        headers.append(COOKIE, value);
        assert!(SessionCookie::read(&headers).is_err(), "twice");
    }
});
