//! Security events: what is taken is written on one line and is the same event again.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_audit_events::SecurityEvent;

fuzz_target!(|text: &[u8]| {
    let Ok(event) = SecurityEvent::parse(text) else { return };
    let json = event.to_json();
    assert!(!json.chars().any(char::is_control), "one line");
    let again = SecurityEvent::parse(json.as_bytes()).expect("our own text");
    assert_eq!(again, event);
    assert_eq!(again.to_json(), json);
});
