//! What this provider does otherwise than others.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use bartizan_core::{Entropy, NoEntropy, SecretBytes};
use bartizan_crypto::{
    Ability, AsyncSigner, ErrorKind, LocalSigner, PrivateKey, Provider, PublicKey, SignatureAlgorithm,
};
use bartizan_crypto_ring::Ring;

const P256: SignatureAlgorithm = SignatureAlgorithm::EcdsaP256Sha256;
const P384: SignatureAlgorithm = SignatureAlgorithm::EcdsaP384Sha384;

#[derive(Debug)]
struct Nothing;

impl Entropy for Nothing {
    fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
        Err(NoEntropy)
    }
}

#[test]
fn the_public_half_of_an_ecdsa_scalar_is_unsupported() {
    for (algorithm, scalar) in [(P256, vec![7; 32]), (P384, vec![7; 48])] {
        let refused = Ring::new().private_key(algorithm, SecretBytes::new(scalar)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unsupported);
    }
}

#[test]
fn ecdsa_keys_come_from_the_operating_system_whatever_source_is_passed() {
    let provider = Ring::new();
    for algorithm in [P256, P384] {
        let key = provider.generate(algorithm, &Nothing).unwrap();
        let signature = provider.signer(&key).unwrap().sign(b"message").unwrap();
        provider.verifier(key.public()).unwrap().verify(b"message", &signature).unwrap();
    }
}

#[test]
fn ecdsa_signatures_of_one_message_differ() {
    let provider = Ring::new();
    for algorithm in [P256, P384] {
        let signer = provider.signer(&provider.generate(algorithm, &Nothing).unwrap()).unwrap();
        assert_ne!(signer.sign(b"message").unwrap(), signer.sign(b"message").unwrap());
    }
}

#[test]
fn no_rsa_key_is_made() {
    for algorithm in SignatureAlgorithm::ALL.into_iter().filter(|algorithm| algorithm.is_rsa()) {
        assert!(!Ring::new().can(Ability::Generate(algorithm)));
        let refused = Ring::new().generate(algorithm, &Nothing).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unsupported);
    }
}

/// ring's limits, as the documentation names them. Should ring lift one, the documentation changes.
#[test]
fn rsa_keys_beyond_the_limits_of_ring_do_not_sign() {
    let algorithm = SignatureAlgorithm::RsaPssSha256;
    for (der, n, e) in [
        // Where modulus and exponent stand in each.
        (include_bytes!("rsa_keys/exponent_is_3.der").as_slice(), 12..268, 270..271),
        (include_bytes!("rsa_keys/modulus_has_2560_bits.der"), 12..332, 334..337),
        (include_bytes!("rsa_keys/modulus_has_8192_bits.der"), 12..1036, 1038..1041),
    ] {
        let public = PublicKey::rsa(algorithm, &der[n], &der[e]).unwrap();
        let signer = Ring::new().signer(&PrivateKey::new(der.to_vec(), public.clone()));
        assert_eq!(signer.unwrap_err().kind(), ErrorKind::Key);
        let made = Ring::new().private_key(algorithm, SecretBytes::new(der.to_vec()));
        assert_eq!(made.unwrap_err().kind(), ErrorKind::Key);
        // The neighbour: what others sign with them verifies here.
        Ring::new().verifier(&public).unwrap();
    }
}

#[test]
fn it_has_a_name() {
    assert_eq!(Ring::new().name(), "ring");
    assert_eq!(Ring::default().name(), "ring");
}

#[test]
fn a_local_signer_serves_where_a_remote_one_is_asked_for() {
    let provider = Ring::new();
    let key = provider.generate(P256, &Nothing).unwrap();
    let signer = LocalSigner::new(provider.signer(&key).unwrap());
    assert_eq!(signer.algorithm(), P256);

    let Poll::Ready(signed) = pin!(signer.sign(b"message")).poll(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("a local signer waits for nothing");
    };
    provider.verifier(key.public()).unwrap().verify(b"message", &signed.unwrap()).unwrap();
}
