//! What ECDSA does here and not in every provider.

use bartizan_core::{Entropy, NoEntropy, SecretBytes};
use bartizan_crypto::{ErrorKind, Provider, SignatureAlgorithm};
use bartizan_crypto_rustcrypto::RustCrypto;

const P256: SignatureAlgorithm = SignatureAlgorithm::EcdsaP256Sha256;
const P384: SignatureAlgorithm = SignatureAlgorithm::EcdsaP384Sha384;

/// A scalar that is no key at first (all ones, above the order), and then one that is.
#[derive(Debug)]
struct LateEntropy(std::sync::atomic::AtomicUsize, usize);

impl Entropy for LateEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        let drawn = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        buffer.fill(if drawn < self.1 { 0xff } else { 7 });
        Ok(())
    }
}

/// RFC 6979 A.2.5 with SHA-256 and A.2.6 with SHA-384: `sample` and `test`.
#[test]
fn signatures_are_those_of_rfc_6979() {
    let provider = RustCrypto::new();
    for (algorithm, secret, signatures) in [
        (
            P256,
            "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
            [
                "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
                 f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
                "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367\
                 019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
            ],
        ),
        (
            P384,
            "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
            [
                "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46\
                 99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
                "8203b63d3c853e8d77227fb377bcf7b7b772e97892a80f36ab775d509d7a5feb0542a7f0812998da8f1dd3ca3cf023db\
                 ddd0760448d42d8a43af45af836fce4de8be06b485e9b61b827c2f13173923e06a739f040649a667bf3b828246baa5a5",
            ],
        ),
    ] {
        let key = provider.private_key(algorithm, SecretBytes::new(bytes(secret))).unwrap();
        let signer = provider.signer(&key).unwrap();
        for (message, signature) in ["sample", "test"].into_iter().zip(signatures) {
            assert_eq!(signer.sign(message.as_bytes()).unwrap(), bytes(signature), "{algorithm:?} {message}");
        }
    }
}

#[test]
fn a_draw_that_is_no_key_is_followed_by_another() {
    for (algorithm, key) in [(P256, vec![7; 32]), (P384, vec![7; 48])] {
        let made = RustCrypto::new().generate(algorithm, &LateEntropy(Default::default(), 7)).unwrap();
        assert_eq!(made.secret().expose(), key);
    }
}

#[test]
fn a_source_that_gives_no_key_is_held_to_be_broken_after_eight_draws() {
    for algorithm in [P256, P384] {
        let refused = RustCrypto::new().generate(algorithm, &LateEntropy(Default::default(), 8)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Entropy);
    }
}

#[test]
fn it_has_a_name() {
    assert_eq!(RustCrypto::new().name(), "rustcrypto");
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}
