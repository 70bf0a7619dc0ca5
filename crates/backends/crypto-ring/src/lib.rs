#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod aead;
mod ed25519;
mod error;
mod hash;
mod kdf;
mod mac;
mod p256;
mod point;

use std::sync::Arc;

use bartizan_core::{Entropy, SecretArray};
use bartizan_crypto::{
    Aead, Error, ErrorKind, Hash, Kdf, Mac, MacAlgorithm, PrivateKey, Provider, PublicKey,
    SignatureAlgorithm, SignatureVerifier, Signer,
};
use ring::rand::SystemRandom;

use crate::{aead::Aes256Gcm, hash::Sha256, kdf::HkdfSha256, mac::HmacSha256};

/// Primitives by ring.
///
/// # Security
/// ring wipes no key: what `with_aead`, `mac`, `kdf` and `signer` prepare stays in freed memory until it is overwritten. Where
/// that matters, pass `bartizan-crypto-rustcrypto` instead; it makes and reads the same bytes.
///
/// ring draws randomness for P-256 (new keys, nonces of signatures) from the operating system itself and takes no other
/// source, so the `Entropy` of a program does not reach these two.
#[derive(Clone, Debug)]
pub struct Ring {
    random: SystemRandom,
}

impl Ring {
    /// The provider. It holds nothing, and making another costs nothing.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "P-256 in ring takes ring's own source and no other: the trait that it asks for is sealed."
    )]
    pub fn new() -> Self {
        Self { random: SystemRandom::new() }
    }
}

impl Default for Ring {
    fn default() -> Self {
        Self::new()
    }
}

impl Provider for Ring {
    fn name(&self) -> &'static str {
        "ring"
    }

    fn hash(&self) -> &dyn Hash {
        &Sha256
    }

    fn mac(&self, algorithm: MacAlgorithm, key: &[u8]) -> Result<Arc<dyn Mac>, Error> {
        match algorithm {
            MacAlgorithm::HmacSha256 => Ok(Arc::new(HmacSha256::new(key)?)),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }

    fn kdf(&self, key: &SecretArray<32>) -> Result<Arc<dyn Kdf>, Error> {
        Ok(Arc::new(HkdfSha256::new(key)))
    }

    fn with_aead(
        &self,
        key: &[u8; 32],
        work: &mut dyn FnMut(&dyn Aead) -> Result<(), Error>,
    ) -> Result<(), Error> {
        work(&Aes256Gcm::new(key)?)
    }

    fn signer(&self, key: &PrivateKey) -> Result<Arc<dyn Signer>, Error> {
        match key.algorithm() {
            SignatureAlgorithm::Ed25519 => Ok(Arc::new(ed25519::Ed25519Signer::new(key)?)),
            SignatureAlgorithm::EcdsaP256Sha256 => Ok(Arc::new(p256::P256Signer::new(key, &self.random)?)),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }

    fn verifier(&self, key: &PublicKey) -> Result<Arc<dyn SignatureVerifier>, Error> {
        match key.algorithm() {
            SignatureAlgorithm::Ed25519 => Ok(Arc::new(ed25519::Ed25519Verifier::new(key)?)),
            SignatureAlgorithm::EcdsaP256Sha256 => Ok(Arc::new(p256::P256Verifier::new(key, &self.random)?)),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }

    /// Ed25519 only. ring multiplies no point of P-256 by a given scalar, so P-256 answers [`ErrorKind::Unsupported`]: pass
    /// both halves to [`PrivateKey::new`]; SEC 1 and PKCS#8 files and JWKs carry them.
    fn private_key(
        &self,
        algorithm: SignatureAlgorithm,
        secret: SecretArray<32>,
    ) -> Result<PrivateKey, Error> {
        match algorithm {
            SignatureAlgorithm::Ed25519 => ed25519::private_key(secret),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }

    /// An Ed25519 seed comes from `entropy`; a P-256 key comes from the operating system's source, whatever is passed.
    fn generate(&self, algorithm: SignatureAlgorithm, entropy: &dyn Entropy) -> Result<PrivateKey, Error> {
        match algorithm {
            SignatureAlgorithm::Ed25519 => {
                ed25519::private_key(SecretArray::try_filled(|seed| entropy.fill(seed))?)
            }
            SignatureAlgorithm::EcdsaP256Sha256 => p256::generate(&self.random),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }
}
