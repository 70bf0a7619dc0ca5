//! The three parts of a token.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_tokens::{Limits, parse};

fuzz_target!(|text: &str| {
    let _ = parse::compact(text, &Limits::DEFAULT);
});
