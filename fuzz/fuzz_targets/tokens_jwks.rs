//! JWK sets: what is taken is written and taken again, all of it.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_crypto_ring::Ring;
use bartizan_tokens::KeySet;

fuzz_target!(|json: &[u8]| {
    let provider = Ring::new();
    let Ok((keys, _)) = KeySet::from_jwks(&provider, json) else { return };
    let Ok(written) = keys.to_jwks() else { return };
    let (again, skipped) =
        KeySet::from_jwks(&provider, written.as_bytes()).expect("what is written is taken");
    assert!(skipped.is_empty(), "what we write we take");
    assert_eq!(again.to_jwks().expect("it was written before"), written);
});
