//! Prepared keys are wiped: where one stood, nothing of it is found after it was dropped.
//!
//! The look goes through `/proc/self/mem`, which shows freed memory too.

use std::{fs::File, os::unix::fs::FileExt, sync::Arc};

use bartizan_core::{SecretArray, SecretBytes};
use bartizan_crypto::{MacAlgorithm, Provider, SignatureAlgorithm};
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;

/// The first 32 bytes are a seed and a scalar, the first 48 a longer scalar, all 64 a key of each HMAC.
const SECRET: [u8; 64] = *b"\x0ccanary of the secret half, WXYZ and more of it up to 64 bytes..";

/// The first 48 bytes times 2^384 modulo the order of P-384.
const MONTGOMERY: [u8; 48] = [
    0x07, 0xb0, 0x5a, 0x7c, 0x7b, 0xf2, 0x47, 0x03, 0x9e, 0x62, 0x53, 0x67, 0x1b, 0xea, 0xd7, 0xc3, 0x99,
    0xb2, 0xc1, 0x88, 0x3c, 0x5d, 0x1f, 0xe8, 0x96, 0xee, 0xbb, 0xea, 0x90, 0x95, 0xc1, 0x8a, 0xd0, 0x30,
    0xb4, 0x76, 0x2d, 0xef, 0x20, 0x27, 0xec, 0xd8, 0xdf, 0x1e, 0x3c, 0x23, 0x2c, 0xc6,
];

#[test]
fn a_mac_is_wiped() {
    for algorithm in MacAlgorithm::ALL {
        assert!(!remains(|| RustCrypto::new().mac(algorithm, &SECRET).unwrap()), "{algorithm:?}");
    }
}

#[test]
fn a_kdf_is_wiped() {
    assert!(!remains(|| RustCrypto::new().kdf(&SecretArray::new(*SECRET.first_chunk().unwrap())).unwrap()));
}

#[test]
fn an_ed25519_signer_is_wiped() {
    assert_seed_is_wiped(SignatureAlgorithm::Ed25519);
}

#[test]
fn a_p256_signer_is_wiped() {
    assert_seed_is_wiped(SignatureAlgorithm::EcdsaP256Sha256);
}

#[test]
fn a_p384_signer_is_wiped() {
    assert_seed_is_wiped(SignatureAlgorithm::EcdsaP384Sha384);
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
    let secret = SECRET[..algorithm.secret_len().unwrap()].to_vec();
    let key = provider.private_key(algorithm, SecretBytes::new(secret.clone())).unwrap();
    let (before, after) = before_and_after(provider.signer(&key).unwrap());
    // A scalar of P-384 is kept as its product with 2^384.
    let kept = if algorithm == SignatureAlgorithm::EcdsaP384Sha384 { MONTGOMERY.to_vec() } else { secret };
    let mut reversed = kept.clone();
    reversed.reverse();
    let holds = |memory: &[u8]| {
        let any =
            |secret: &[u8]| secret.windows(8).any(|eight| memory.windows(8).any(|other| other == eight));
        any(&kept) || any(&reversed)
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
