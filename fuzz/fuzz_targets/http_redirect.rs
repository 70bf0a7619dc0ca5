//! Where a browser may be sent: whatever passes is a path of this host, also as a browser reads it.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_http::SafeRedirect;

fuzz_target!(|text: &str| {
    let Ok(redirect) = SafeRedirect::parse(text) else { return };
    assert_eq!(redirect.as_str(), text);
    assert_eq!(redirect.location().as_bytes(), text.as_bytes());
    // WHATWG URL section 4.4: tabs and line ends are dropped, and `\` is a slash.
    let seen: String = text.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    let seen = seen.replace('\\', "/");
    assert!(seen.starts_with('/') && !seen.starts_with("//"));
    assert!(!seen.contains("//") || seen.split('?').next().is_some_and(|path| !path.contains("//")));
});
