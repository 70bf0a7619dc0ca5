#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod aead;
mod ed25519;
mod hash;
mod kdf;
mod mac;
mod p256;

use std::sync::Arc;

use bartizan_core::{Entropy, SecretArray};
use bartizan_crypto::{
    Aead, Error, ErrorKind, Hash, Kdf, Mac, MacAlgorithm, PrivateKey, Provider, PublicKey,
    SignatureAlgorithm, SignatureVerifier, Signer,
};

use crate::{aead::Aes256Gcm, hash::Sha256, kdf::HkdfSha256, mac::HmacSha256};

/// Primitives by RustCrypto and dalek.
///
/// # Security
/// What it prepares is wiped when dropped: key schedules, hashed pads, seeds and scalars. Copies that the compiler leaves in
/// registers or on the stack while a primitive runs are beyond it.
///
/// P-256 signatures are deterministic (RFC 6979): no randomness is needed, and one message signed twice gives one signature.
#[derive(Clone, Copy, Debug, Default)]
pub struct RustCrypto(());

impl RustCrypto {
    /// The provider. It holds nothing, and making another costs nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }
}

impl Provider for RustCrypto {
    fn name(&self) -> &'static str {
        "rustcrypto"
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
        Ok(Arc::new(HkdfSha256::new(key)?))
    }

    fn with_aead(
        &self,
        key: &[u8; 32],
        work: &mut dyn FnMut(&dyn Aead) -> Result<(), Error>,
    ) -> Result<(), Error> {
        work(&Aes256Gcm::new(key))
    }

    fn signer(&self, key: &PrivateKey) -> Result<Arc<dyn Signer>, Error> {
        match key.algorithm() {
            SignatureAlgorithm::Ed25519 => Ok(Arc::new(ed25519::Ed25519Signer::new(key)?)),
            SignatureAlgorithm::EcdsaP256Sha256 => Ok(Arc::new(p256::P256Signer::new(key)?)),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }

    fn verifier(&self, key: &PublicKey) -> Result<Arc<dyn SignatureVerifier>, Error> {
        match key.algorithm() {
            SignatureAlgorithm::Ed25519 => Ok(Arc::new(ed25519::Ed25519Verifier::new(key)?)),
            SignatureAlgorithm::EcdsaP256Sha256 => Ok(Arc::new(p256::P256Verifier::new(key)?)),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }

    fn private_key(
        &self,
        algorithm: SignatureAlgorithm,
        secret: SecretArray<32>,
    ) -> Result<PrivateKey, Error> {
        match algorithm {
            SignatureAlgorithm::Ed25519 => ed25519::private_key(secret),
            SignatureAlgorithm::EcdsaP256Sha256 => p256::private_key(secret),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }

    fn generate(&self, algorithm: SignatureAlgorithm, entropy: &dyn Entropy) -> Result<PrivateKey, Error> {
        match algorithm {
            SignatureAlgorithm::Ed25519 => {
                ed25519::private_key(SecretArray::try_filled(|seed| entropy.fill(seed))?)
            }
            SignatureAlgorithm::EcdsaP256Sha256 => p256::generate(entropy),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }
}
