//! Cache-Control, Age and Retry-After: nothing panics, and nothing that is added makes an answer fresher.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_core::UnixTime;
use bartizan_tokens::{Freshness, retry_after};

fuzz_target!(|texts: (&str, &str, &str)| {
    let (first, second, age) = texts;
    let one = Freshness::from_headers([first], None).lifetime();
    let both = Freshness::from_headers([first, second], Some(age)).lifetime();
    if let Some(one) = one {
        assert!(both.is_some_and(|both| both <= one));
    }
    let _ = retry_after(second, UnixTime::EPOCH);
});
