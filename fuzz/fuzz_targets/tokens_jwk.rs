//! JWKs: a public key that is taken is written and taken again.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_crypto_ring::Ring;
use bartizan_tokens::{VerifyingKey, parse};

fuzz_target!(|json: &[u8]| {
    let provider = Ring::new();
    let taken = parse::jwk(&provider, json);
    let Ok(key) = VerifyingKey::from_jwk(&provider, json) else { return };
    taken.expect("a verifying key is a key");
    let written = key.to_public_jwk().expect("a public key is written");
    let again = VerifyingKey::from_jwk(&provider, written.as_bytes()).expect("what is written is taken");
    assert_eq!(again.to_public_jwk().expect("a public key is written"), written);
});
