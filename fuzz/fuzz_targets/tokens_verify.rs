//! A whole verification: nothing that was not signed verifies.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;

use bartizan_core::{Clock, RawToken, SecretBytes, UnixTime};
use bartizan_crypto_ring::Ring;
use bartizan_testkit::ManualClock;
use bartizan_tokens::{KeySet, SigningKey, Verifier};

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let secret = SecretBytes::new((0..32).collect());
    let key =
        SigningKey::hmac(&Ring::new(), bartizan_tokens::Algorithm::Hs256, "k1", &secret).expect("a key");
    let keys = KeySet::new([key.verifying()]).expect("a set");
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(UnixTime::from_secs(1_800_000_000)));
    Verifier::access_tokens("https://issuer.example", "https://api.example", keys, clock).expect("a verifier")
});

fuzz_target!(|text: &str| {
    assert!(VERIFIER.verify(RawToken::new(text)).is_err(), "nobody signed this");
});
