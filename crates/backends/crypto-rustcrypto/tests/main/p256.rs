//! What P-256 does here and not in every provider.

use bartizan_core::{Entropy, NoEntropy, SecretArray};
use bartizan_crypto::{ErrorKind, Provider, SignatureAlgorithm};
use bartizan_crypto_rustcrypto::RustCrypto;

const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::EcdsaP256Sha256;

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

/// RFC 6979 A.2.5: with SHA-256, `sample` and `test`.
#[test]
fn signatures_are_those_of_rfc_6979() {
    let secret: [u8; 32] = bytes("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
    let provider = RustCrypto::new();
    let signer =
        provider.signer(&provider.private_key(ALGORITHM, SecretArray::new(secret)).unwrap()).unwrap();
    for (message, signature) in [
        (
            "sample",
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
             f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
        ),
        (
            "test",
            "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367\
             019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
        ),
    ] {
        assert_eq!(signer.sign(message.as_bytes()).unwrap(), bytes::<64>(signature), "{message}");
    }
}

#[test]
fn a_draw_that_is_no_key_is_followed_by_another() {
    let key = RustCrypto::new().generate(ALGORITHM, &LateEntropy(Default::default(), 7)).unwrap();
    assert_eq!(*key.secret().expose(), [7; 32]);
}

#[test]
fn a_source_that_gives_no_key_is_held_to_be_broken_after_eight_draws() {
    let refused = RustCrypto::new().generate(ALGORITHM, &LateEntropy(Default::default(), 8)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Entropy);
}

#[test]
fn it_has_a_name() {
    assert_eq!(RustCrypto::new().name(), "rustcrypto");
}

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
}
