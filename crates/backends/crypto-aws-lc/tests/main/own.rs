//! What this provider does otherwise than others.

use std::sync::OnceLock;

use aws_lc_rs::{encoding::AsDer, rsa::KeySize, signature::RsaKeyPair};
use bartizan_core::{Entropy, NoEntropy, SecretArray};
use bartizan_crypto::{
    Ability, ErrorKind, MacAlgorithm, PrivateKey, Provider, PublicKey, RsaSize, SignatureAlgorithm,
};
use bartizan_crypto_aws_lc::AwsLc;

const PS256: SignatureAlgorithm = SignatureAlgorithm::RsaPssSha256;

#[derive(Debug)]
struct Nothing;

impl Entropy for Nothing {
    fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
        Err(NoEntropy)
    }
}

/// The `RSAPrivateKey` of one key, the same for all who ask.
pub(crate) fn rsa_secret() -> Vec<u8> {
    static SECRET: OnceLock<Vec<u8>> = OnceLock::new();
    SECRET.get_or_init(new_rsa_secret).clone()
}

/// The `RSAPrivateKey` of a new key of 2,048 bits: larger ones take longer to make.
pub(crate) fn new_rsa_secret() -> Vec<u8> {
    let document = RsaKeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
    // Behind the header of the PKCS#8 document.
    document.as_ref()[26..].to_vec()
}

#[test]
fn it_has_a_name_and_lacks_nothing() {
    let provider = AwsLc::default();
    assert_eq!(provider.name(), "aws-lc");
    assert!(MacAlgorithm::ALL.into_iter().all(|algorithm| provider.can(Ability::Mac(algorithm))));
    for algorithm in SignatureAlgorithm::ALL {
        let abilities: [fn(_) -> _; 4] =
            [Ability::Verify, Ability::Sign, Ability::Generate, Ability::PublicHalf];
        assert!(abilities.into_iter().all(|ability| provider.can(ability(algorithm))), "{algorithm:?}");
    }
}

#[test]
fn rsa_keys_come_from_its_own_source_whatever_is_passed() {
    let key = AwsLc::new().generate(PS256, &Nothing).unwrap();
    assert_eq!(
        (key.public().signature_len(), key.public().rsa_numbers().unwrap().1),
        (384, [1, 0, 1].as_slice())
    );
    let signature = AwsLc::new().signer(&key).unwrap().sign(b"message").unwrap();
    AwsLc::new().verifier(key.public()).unwrap().verify(b"message", &signature).unwrap();
}

#[test]
fn other_keys_come_from_the_source_that_is_passed() {
    for algorithm in SignatureAlgorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_rsa()) {
        let refused = AwsLc::new().generate(algorithm, &Nothing).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Entropy, "{algorithm:?}");
    }
}

#[test]
fn a_size_in_bits_is_for_rsa_alone() {
    for algorithm in SignatureAlgorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_rsa()) {
        let refused = AwsLc::new().generate_rsa(algorithm, RsaSize::Bits4096, &Nothing);
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unsupported, "{algorithm:?}");
    }
}

/// RFC 8017 §A.1.2. aws-lc-rs itself reads the first structure and leaves the rest.
#[test]
fn an_rsa_key_has_one_encoding() {
    let good = rsa_secret();
    let refused = [
        ("a byte more", [good.as_slice(), &[0]].concat()),
        ("a byte less", good[..good.len() - 1].to_vec()),
        ("a second key", good.repeat(2)),
        ("nothing", Vec::new()),
        ("a sequence of nothing", vec![0x30, 0]),
        ("a zero before", [&[0], good.as_slice()].concat()),
    ];
    let public = public(PS256, &good);
    for (what, secret) in refused {
        let made = AwsLc::new().private_key(PS256, secret.clone().into());
        assert_eq!(made.unwrap_err().kind(), ErrorKind::Key, "{what}");
        let signer = AwsLc::new().signer(&PrivateKey::new(secret, public.clone()));
        assert_eq!(signer.unwrap_err().kind(), ErrorKind::Key, "{what}");
    }
}

/// Any number of the key that is changed no longer fits the others.
#[test]
fn an_rsa_key_whose_numbers_do_not_fit_is_refused() {
    let good = rsa_secret();
    for at in (0..good.len()).step_by(23) {
        let mut secret = good.clone();
        secret[at] ^= 4;
        let made = AwsLc::new().private_key(PS256, secret.into());
        assert_eq!(made.unwrap_err().kind(), ErrorKind::Key, "byte {at}");
    }
}

/// A scalar has as many bytes as its curve's order.
#[test]
fn a_scalar_of_another_length_is_refused() {
    for (algorithm, length) in
        [(SignatureAlgorithm::EcdsaP256Sha256, 32), (SignatureAlgorithm::EcdsaP384Sha384, 48)]
    {
        let scalar = [vec![0; length - 1], vec![7]].concat();
        let good = AwsLc::new().private_key(algorithm, scalar.clone().into()).unwrap();
        for secret in [scalar[1..].to_vec(), vec![7], [&[0], scalar.as_slice()].concat(), Vec::new()] {
            let made = AwsLc::new().private_key(algorithm, secret.clone().into());
            assert_eq!(made.unwrap_err().kind(), ErrorKind::Key);
            let signer = AwsLc::new().signer(&PrivateKey::new(secret, good.public().clone()));
            assert_eq!(signer.unwrap_err().kind(), ErrorKind::Key);
        }
    }
    for length in [0, 31, 33, 64] {
        let made = AwsLc::new().private_key(SignatureAlgorithm::Ed25519, vec![7; length].into());
        assert_eq!(made.unwrap_err().kind(), ErrorKind::Key, "a seed of {length} bytes");
    }
}

#[test]
fn ecdsa_and_pss_signatures_of_one_message_differ_and_others_do_not() {
    let provider = AwsLc::new();
    for algorithm in SignatureAlgorithm::ALL {
        let key = match algorithm {
            _ if algorithm.is_rsa() => provider.private_key(algorithm, rsa_secret().into()).unwrap(),
            SignatureAlgorithm::EcdsaP384Sha384 => {
                provider.private_key(algorithm, SecretArray::new([7; 48]).into()).unwrap()
            }
            _ => provider.private_key(algorithm, SecretArray::new([7; 32]).into()).unwrap(),
        };
        let signer = provider.signer(&key).unwrap();
        let differ = signer.sign(b"message").unwrap() != signer.sign(b"message").unwrap();
        let name = format!("{algorithm:?}");
        assert_eq!(differ, name.contains("Ecdsa") || name.contains("Pss"), "{name}");
    }
}

/// RFC 8017 §8.1.2 and §8.2.2, step 1.
#[test]
fn a_signature_of_another_length_than_the_modulus_is_refused() {
    let key = AwsLc::new().private_key(PS256, rsa_secret().into()).unwrap();
    let (signer, verifier) =
        (AwsLc::new().signer(&key).unwrap(), AwsLc::new().verifier(key.public()).unwrap());
    let signature = signer.sign(b"message").unwrap();
    for forged in [
        signature[1..].to_vec(),
        [&[0], signature.as_slice()].concat(),
        [signature.as_slice(), &[0]].concat(),
        Vec::new(),
    ] {
        assert_eq!(verifier.verify(b"message", &forged).unwrap_err().kind(), ErrorKind::Unverified);
    }
}

fn public(algorithm: SignatureAlgorithm, secret: &[u8]) -> PublicKey {
    AwsLc::new().private_key(algorithm, secret.to_vec().into()).unwrap().public().clone()
}
