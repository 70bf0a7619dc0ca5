//! What a store keeps of a login: what was read is written and read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_sessions::Facts;

fuzz_target!(|text: &str| {
    if let Ok(facts) = Facts::from_text(text) {
        assert!(text.len() <= 4096);
        if let Ok(written) = facts.to_text() {
            assert_eq!(Facts::from_text(&written).as_ref(), Ok(&facts));
        }
    }
});
