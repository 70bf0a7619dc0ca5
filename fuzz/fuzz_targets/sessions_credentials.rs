//! The texts of refresh tokens, cookies, API keys, one-time tokens and session names: one form, 64, 43 or 32 characters.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_core::RawToken;
use bartizan_sessions::{ApiKey, CookieToken, OnceToken, RefreshToken, SessionId};

fuzz_target!(|text: &str| {
    let raw = RawToken::new(text);
    let forms = [
        (RefreshToken::is_well_formed(raw), "bzr1_", 64),
        (CookieToken::is_well_formed(raw), "bzc1_", 64),
        (ApiKey::is_well_formed(raw, "clinic_live"), "clinic_live_", 64),
        (OnceToken::is_well_formed(raw), "bzo1_", 43),
    ];
    assert!(forms.iter().filter(|(is_one, ..)| *is_one).count() <= 1);
    for (is_one, prefix, chars) in forms {
        if is_one {
            assert!(text.starts_with(prefix) && text.len() == prefix.len() + chars);
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        }
    }
    if let Ok(id) = SessionId::parse(text) {
        assert_eq!(id.to_string(), text);
    }
});
