//! Stored password hashes: one hash, one text.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_passwords::PasswordHash;

fuzz_target!(|text: &str| {
    if let Ok(hash) = PasswordHash::parse(text) {
        assert_eq!(hash.to_phc(), text);
    }
});
