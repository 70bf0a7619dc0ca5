//! Wrapped keys: nothing that was not wrapped unwraps.
#![no_main]

use std::{
    pin::pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll, Waker},
};

use libfuzzer_sys::fuzz_target;

use bartizan_core::SecretArray;
use bartizan_crypto_ring::Ring;
use bartizan_envelope::{KeyContext, KeyId, KeyWrapper, LocalMaster, Scope};
use bartizan_testkit::SeededEntropy;

static MASTER: LazyLock<LocalMaster> = LazyLock::new(|| {
    let entropy = Arc::new(SeededEntropy::new(1));
    LocalMaster::new(Arc::new(Ring::new()), &SecretArray::new([7; 32]), entropy).expect("a master key")
});

fuzz_target!(|wrapped: &[u8]| {
    let scope = Scope::new("north", "records").expect("a scope");
    let context = KeyContext::new(scope, 1, KeyId::from_bytes([1; 8]));
    let unwrapped = pin!(MASTER.unwrap(&context, wrapped)).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(unwrapped, Poll::Ready(Err(_))), "nobody wrapped this");
});
