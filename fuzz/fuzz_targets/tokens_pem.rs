//! PEM files with private keys.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_crypto_ring::Ring;
use bartizan_tokens::parse;

fuzz_target!(|text: &[u8]| {
    let _ = parse::pem(&Ring::new(), text);
});
