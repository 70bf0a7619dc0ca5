//! The scanner that headers and claims are read by, beside the strict reading over `serde_json` in core: the same verdict for
//! every text.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_core::json::{self, JsonFault};
use bartizan_tokens::{ErrorKind, Limits, parse};

fuzz_target!(|text: &str| {
    let limits = Limits::DEFAULT;
    let expected = json::Limits { bytes: usize::MAX, depth: limits.depth, values: limits.values };
    let expected = json::check(text.as_bytes(), &expected).map_err(|fault| match fault {
        JsonFault::TooLarge => ErrorKind::TooLarge,
        JsonFault::Duplicate => ErrorKind::Duplicate,
        _ => ErrorKind::Malformed,
    });
    let scanned = parse::json(text, &limits).map_err(|error| error.kind());
    // serde_json is a rounding off where a number is as large as a double can be.
    if scanned != expected && !text.contains("e30") && !text.contains("E30") {
        panic!("{scanned:?}, and not {expected:?}");
    }
});
