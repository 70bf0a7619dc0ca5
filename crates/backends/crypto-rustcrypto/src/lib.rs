#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod aead;
mod ecdsa;
mod ed25519;
mod hash;
mod kdf;
mod mac;

use std::sync::Arc;

use bartizan_core::{Entropy, SecretArray, SecretBytes};
use bartizan_crypto::{
    Ability, Aead, Error, ErrorKind, Hash, Kdf, Mac, MacAlgorithm, PrivateKey, Provider, PublicKey,
    SignatureAlgorithm, SignatureVerifier, Signer,
};

use crate::{
    aead::Aes256Gcm,
    ecdsa::{on_p256, on_p384},
    ed25519::{Ed25519Signer, Ed25519Verifier},
    hash::Sha2,
    kdf::HkdfSha256,
};

/// Primitives by RustCrypto and dalek.
///
/// # Security
/// What it prepares is wiped when dropped: key schedules, hashed pads, seeds and scalars. Copies that the compiler leaves in
/// registers or on the stack while a primitive runs are beyond it.
///
/// Signatures of P-256 and P-384 are deterministic (RFC 6979): no randomness is needed, and one message signed twice gives one signature.
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

    /// No RSA: RustCrypto's, the `rsa` crate, betrays private keys by its timing (RUSTSEC-2023-0071).
    fn can(&self, ability: Ability) -> bool {
        match ability {
            Ability::Mac(algorithm) => MacAlgorithm::ALL.contains(&algorithm),
            Ability::Verify(algorithm)
            | Ability::Sign(algorithm)
            | Ability::Generate(algorithm)
            | Ability::PublicHalf(algorithm) => {
                SignatureAlgorithm::ALL.contains(&algorithm) && !algorithm.is_rsa()
            }
            _ => false,
        }
    }

    fn hash(&self) -> &dyn Hash {
        &Sha2
    }

    fn mac(&self, algorithm: MacAlgorithm, key: &[u8]) -> Result<Arc<dyn Mac>, Error> {
        mac::prepare(algorithm, key)
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
            SignatureAlgorithm::Ed25519 => Ok(Arc::new(Ed25519Signer::new(key)?)),
            SignatureAlgorithm::EcdsaP256Sha256 => Ok(Arc::new(on_p256::Signer::new(key)?)),
            SignatureAlgorithm::EcdsaP384Sha384 => Ok(Arc::new(on_p384::Signer::new(key)?)),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }

    fn verifier(&self, key: &PublicKey) -> Result<Arc<dyn SignatureVerifier>, Error> {
        match key.algorithm() {
            SignatureAlgorithm::Ed25519 => Ok(Arc::new(Ed25519Verifier::new(key)?)),
            SignatureAlgorithm::EcdsaP256Sha256 => Ok(Arc::new(on_p256::Verifier::new(key)?)),
            SignatureAlgorithm::EcdsaP384Sha384 => Ok(Arc::new(on_p384::Verifier::new(key)?)),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }

    fn private_key(&self, algorithm: SignatureAlgorithm, secret: SecretBytes) -> Result<PrivateKey, Error> {
        match algorithm {
            SignatureAlgorithm::Ed25519 => ed25519::private_key(secret),
            SignatureAlgorithm::EcdsaP256Sha256 => on_p256::private_key(secret),
            SignatureAlgorithm::EcdsaP384Sha384 => on_p384::private_key(secret),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }

    fn generate(&self, algorithm: SignatureAlgorithm, entropy: &dyn Entropy) -> Result<PrivateKey, Error> {
        match algorithm {
            SignatureAlgorithm::Ed25519 => {
                ed25519::private_key(SecretArray::<32>::try_filled(|seed| entropy.fill(seed))?.into())
            }
            SignatureAlgorithm::EcdsaP256Sha256 => on_p256::generate(entropy),
            SignatureAlgorithm::EcdsaP384Sha384 => on_p384::generate(entropy),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }
}
