//! What this provider does otherwise than others.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use bartizan_core::{Entropy, NoEntropy, SecretArray};
use bartizan_crypto::{AsyncSigner, ErrorKind, LocalSigner, Provider, SignatureAlgorithm};
use bartizan_crypto_ring::Ring;

#[derive(Debug)]
struct Nothing;

impl Entropy for Nothing {
    fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
        Err(NoEntropy)
    }
}

#[test]
fn the_public_half_of_a_p256_scalar_is_unsupported() {
    let scalar = SecretArray::new([7; 32]);
    let refused = Ring::new().private_key(SignatureAlgorithm::EcdsaP256Sha256, scalar).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
}

#[test]
fn p256_keys_come_from_the_operating_system_whatever_source_is_passed() {
    let provider = Ring::new();
    let key = provider.generate(SignatureAlgorithm::EcdsaP256Sha256, &Nothing).unwrap();
    let signature = provider.signer(&key).unwrap().sign(b"message").unwrap();
    provider.verifier(key.public()).unwrap().verify(b"message", &signature).unwrap();
}

#[test]
fn p256_signatures_of_one_message_differ() {
    let provider = Ring::new();
    let key = provider.generate(SignatureAlgorithm::EcdsaP256Sha256, &Nothing).unwrap();
    let signer = provider.signer(&key).unwrap();
    assert_ne!(signer.sign(b"message").unwrap(), signer.sign(b"message").unwrap());
}

#[test]
fn it_has_a_name() {
    assert_eq!(Ring::new().name(), "ring");
    assert_eq!(Ring::default().name(), "ring");
}

#[test]
fn a_local_signer_serves_where_a_remote_one_is_asked_for() {
    let provider = Ring::new();
    let key = provider.generate(SignatureAlgorithm::EcdsaP256Sha256, &Nothing).unwrap();
    let signer = LocalSigner::new(provider.signer(&key).unwrap());
    assert_eq!(signer.algorithm(), SignatureAlgorithm::EcdsaP256Sha256);

    let Poll::Ready(signed) = pin!(signer.sign(b"message")).poll(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("a local signer waits for nothing");
    };
    provider.verifier(key.public()).unwrap().verify(b"message", &signed.unwrap()).unwrap();
}
