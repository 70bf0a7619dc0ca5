//! Stored recovery codes, and codes as they are typed: one set, one text; what was not drawn redeems nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_core::SecretText;
use bartizan_crypto_ring::Ring;
use bartizan_passwords::{MAX_RECOVERY_SET, RecoverySet, Redemption};

fuzz_target!(|text: &str| {
    let provider = Ring::new();
    let (stored, typed) = text.split_once('\n').unwrap_or((text, text));
    let Ok(set) = RecoverySet::parse(stored) else { return };
    assert!(stored.len() <= MAX_RECOVERY_SET && set.to_text() == stored);
    assert!(matches!(set.redeem(&provider, &SecretText::new(typed.to_owned())), Redemption::Mismatch));
});
