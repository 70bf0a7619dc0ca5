//! Prepared keys are wiped: where one stood, nothing of it is found after it was dropped.
//!
//! The look goes through `/proc/self/mem`, which shows freed memory too.

use std::{fs::File, os::unix::fs::FileExt, sync::Arc};

use bartizan_core::SecretArray;
use bartizan_crypto::{MacAlgorithm, Provider, SignatureAlgorithm};
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;

const SECRET: [u8; 32] = *b"\x0ccanary of the secret half, WXYZ";

#[test]
fn a_mac_is_wiped() {
    assert!(!remains(|| RustCrypto::new().mac(MacAlgorithm::HmacSha256, &SECRET).unwrap()));
}

#[test]
fn a_kdf_is_wiped() {
    assert!(!remains(|| RustCrypto::new().kdf(&SecretArray::new(SECRET)).unwrap()));
}

#[test]
fn an_ed25519_signer_is_wiped() {
    assert_seed_is_wiped(SignatureAlgorithm::Ed25519);
}

#[test]
fn a_p256_signer_is_wiped() {
    assert_seed_is_wiped(SignatureAlgorithm::EcdsaP256Sha256);
}

/// The neighbour: ring wipes nothing, and the same look finds it. Should ring begin to, its documentation here changes.
#[test]
fn the_look_finds_what_is_not_wiped() {
    assert!(remains(|| Ring::new().mac(MacAlgorithm::HmacSha256, &SECRET).unwrap()));
}

/// Whether eight neighbouring bytes of the value still stand anywhere in its place after it was dropped. Runs of zeros and
/// ones do not count.
fn remains<T: ?Sized>(make: impl FnOnce() -> Arc<T>) -> bool {
    let (before, after) = before_and_after(make());
    let is_dull = |eight: &[u8]| eight.iter().filter(|byte| matches!(byte, 0 | 0xff)).count() > 2;
    let telling: Vec<&[u8]> = before.windows(8).filter(|eight| !is_dull(eight)).collect();
    assert!(telling.len() >= 32, "the look finds no key while it is there");
    telling.iter().any(|eight| after.windows(8).any(|other| other == *eight))
}

/// A signer keeps its public half unwiped, so the secret itself is looked for, in either order of its bytes.
fn assert_seed_is_wiped(algorithm: SignatureAlgorithm) {
    let provider = RustCrypto::new();
    let key = provider.private_key(algorithm, SecretArray::new(SECRET)).unwrap();
    let (before, after) = before_and_after(provider.signer(&key).unwrap());
    let mut reversed = SECRET;
    reversed.reverse();
    let holds = |memory: &[u8]| {
        let any =
            |secret: &[u8; 32]| secret.windows(8).any(|eight| memory.windows(8).any(|other| other == eight));
        any(&SECRET) || any(&reversed)
    };
    assert!(holds(&before), "the look does not find the secret while it is there");
    assert!(!holds(&after));
}

/// What stands in the place of the value while it lives, and after it was dropped.
fn before_and_after<T: ?Sized>(value: Arc<T>) -> (Vec<u8>, Vec<u8>) {
    let memory = File::open("/proc/self/mem").unwrap();
    let place = Arc::as_ptr(&value).cast::<u8>() as u64;
    let look = |buffer: &mut Vec<u8>| memory.read_exact_at(buffer, place).unwrap();
    // Both buffers are allocated before the value is dropped, so that neither takes its place.
    let mut before = vec![0; size_of_val(&*value)];
    let mut after = before.clone();
    look(&mut before);
    drop(value);
    look(&mut after);
    (before, after)
}
