#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod aead;
mod ecdsa;
mod ed25519;
mod error;
mod hash;
mod kdf;
mod mac;
mod rsa;

use std::sync::Arc;

use bartizan_core::{Entropy, SecretArray, SecretBytes};
use bartizan_crypto::{
    Ability, Aead, Error, ErrorKind, Hash, Kdf, Mac, MacAlgorithm, PrivateKey, Provider, PublicKey,
    SignatureAlgorithm, SignatureVerifier, Signer,
};
use ring::rand::SystemRandom;

use crate::{
    aead::Aes256Gcm,
    ecdsa::{EcdsaSigner, EcdsaVerifier, P256, P384},
    ed25519::{Ed25519Signer, Ed25519Verifier},
    hash::Sha2,
    kdf::HkdfSha256,
    mac::Hmac,
    rsa::{RsaSigner, RsaVerifier},
};

/// Primitives by ring.
///
/// # Security
/// ring wipes no key: what `with_aead`, `mac`, `kdf` and `signer` prepare stays in freed memory until it is overwritten. Where
/// that matters, pass `bartizan-crypto-rustcrypto` instead; it makes and reads the same bytes.
///
/// ring draws randomness for P-256 and P-384 (new keys, nonces of signatures) and for RSA (salts of PSS) from the operating
/// system itself and takes no other source, so the `Entropy` of a program does not reach these.
#[derive(Clone, Debug)]
pub struct Ring {
    random: SystemRandom,
}

impl Ring {
    /// The provider. It holds nothing, and making another costs nothing.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "ECDSA and RSA in ring take ring's own source and no other: the trait that they ask for is sealed."
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

    fn can(&self, ability: Ability) -> bool {
        match ability {
            Ability::Mac(algorithm) => MacAlgorithm::ALL.contains(&algorithm),
            Ability::Verify(algorithm) | Ability::Sign(algorithm) => {
                SignatureAlgorithm::ALL.contains(&algorithm)
            }
            Ability::Generate(algorithm) => !algorithm.is_rsa(),
            Ability::PublicHalf(algorithm) => algorithm == SignatureAlgorithm::Ed25519 || algorithm.is_rsa(),
            _ => false,
        }
    }

    fn hash(&self) -> &dyn Hash {
        &Sha2
    }

    fn mac(&self, algorithm: MacAlgorithm, key: &[u8]) -> Result<Arc<dyn Mac>, Error> {
        Ok(Arc::new(Hmac::new(algorithm, key)?))
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

    /// An RSA key must have 2048, 3072 or 4096 bits, primes of half its length, and an exponent from 65,537 on; ring signs with
    /// no other, and all others are [`ErrorKind::Key`].
    fn signer(&self, key: &PrivateKey) -> Result<Arc<dyn Signer>, Error> {
        match key.algorithm() {
            SignatureAlgorithm::Ed25519 => Ok(Arc::new(Ed25519Signer::new(key)?)),
            SignatureAlgorithm::EcdsaP256Sha256 => Ok(Arc::new(EcdsaSigner::new(&P256, key, &self.random)?)),
            SignatureAlgorithm::EcdsaP384Sha384 => Ok(Arc::new(EcdsaSigner::new(&P384, key, &self.random)?)),
            algorithm if algorithm.is_rsa() => Ok(Arc::new(RsaSigner::new(key, &self.random)?)),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }

    fn verifier(&self, key: &PublicKey) -> Result<Arc<dyn SignatureVerifier>, Error> {
        match key.algorithm() {
            SignatureAlgorithm::Ed25519 => Ok(Arc::new(Ed25519Verifier::new(key)?)),
            SignatureAlgorithm::EcdsaP256Sha256 => {
                Ok(Arc::new(EcdsaVerifier::new(&P256, key, &self.random)?))
            }
            SignatureAlgorithm::EcdsaP384Sha384 => {
                Ok(Arc::new(EcdsaVerifier::new(&P384, key, &self.random)?))
            }
            algorithm if algorithm.is_rsa() => Ok(Arc::new(RsaVerifier::new(key)?)),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }

    /// Ed25519, and RSA within the limits of [`Provider::signer`]. ring multiplies no point of P-256 or P-384 by a given scalar,
    /// so these answer [`ErrorKind::Unsupported`]: pass both halves to [`PrivateKey::new`]; SEC 1 and PKCS#8 files and JWKs
    /// carry them.
    fn private_key(&self, algorithm: SignatureAlgorithm, secret: SecretBytes) -> Result<PrivateKey, Error> {
        match algorithm {
            SignatureAlgorithm::Ed25519 => ed25519::private_key(secret),
            algorithm if algorithm.is_rsa() => rsa::private_key(algorithm, secret, &self.random),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }

    /// An Ed25519 seed comes from `entropy`; a key of P-256 or P-384 comes from the operating system's source, whatever is
    /// passed. ring makes no RSA keys: [`ErrorKind::Unsupported`].
    fn generate(&self, algorithm: SignatureAlgorithm, entropy: &dyn Entropy) -> Result<PrivateKey, Error> {
        match algorithm {
            SignatureAlgorithm::Ed25519 => {
                ed25519::private_key(SecretArray::<32>::try_filled(|seed| entropy.fill(seed))?.into())
            }
            SignatureAlgorithm::EcdsaP256Sha256 => ecdsa::generate(&P256, &self.random),
            SignatureAlgorithm::EcdsaP384Sha384 => ecdsa::generate(&P384, &self.random),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }
}
