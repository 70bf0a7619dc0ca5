//! Documents of key rings: what is taken is written and taken again as the same ring, and nothing private is published.
#![no_main]

use std::sync::Arc;

use bartizan_core::{SecretText, UnixTime};
use bartizan_crypto_ring::Ring;
use bartizan_testkit::SeededEntropy;
use bartizan_tokens::{KeyRing, KeySet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let read = |text: &str| {
        let entropy = Arc::new(SeededEntropy::new(1));
        KeyRing::from_document(Arc::new(Ring::new()), &SecretText::new(text.to_owned()), entropy)
    };
    let Ok(ring) = read(text) else { return };
    let written = ring.to_document();
    let again = read(written.expose()).expect("what is written is taken");
    assert!(again.to_document() == written && again.keys() == ring.keys());
    if let Ok(jwks) = ring.jwks() {
        let (keys, _) =
            KeySet::from_jwks(&Ring::new(), jwks.json().as_bytes()).expect("a public set is public");
        assert!(keys.keys().count() <= ring.keys().len());
    }
    // Whatever it holds can go on and be revoked.
    let now = UnixTime::from_secs(1_700_000_000);
    for key in ring.keys() {
        let _ = ring.revoke(&key.kid, now);
    }
    let _ = ring.step(now);
});
