//! A token's claims.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_tokens::{Limits, parse};

fuzz_target!(|text: &str| {
    let _ = parse::claims(text, &Limits::DEFAULT);
});
