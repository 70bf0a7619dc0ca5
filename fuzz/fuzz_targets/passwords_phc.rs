//! Stored password hashes, ours and other systems': one hash, one text.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_passwords::{MAX_PHC, PasswordHash};

fuzz_target!(|text: &str| {
    if let Ok(hash) = PasswordHash::parse(text) {
        assert_eq!(hash.to_phc(), text);
        assert!(text.len() <= MAX_PHC && !format!("{hash:?}").contains(text));
    }
});
