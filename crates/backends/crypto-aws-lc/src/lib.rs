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

use aws_lc_rs::rand::SystemRandom;
use bartizan_core::{Entropy, SecretArray, SecretBytes};
use bartizan_crypto::{
    Ability, Aead, Error, ErrorKind, Hash, Kdf, Mac, MacAlgorithm, PrivateKey, Provider, PublicKey, RsaSize,
    SignatureAlgorithm, SignatureVerifier, Signer,
};

use crate::{aead::Aes256Gcm, hash::Sha2, kdf::HkdfSha256, mac::HmacSha2};

/// Primitives by AWS-LC.
///
/// # Security
/// What it prepares is wiped when dropped: AWS-LC overwrites all memory that it gives back, and aws-lc-rs what it holds itself.
/// Copies that are left in registers or on the stack while a primitive runs, or a value moves, are beyond it.
///
/// AWS-LC draws randomness from a generator of its own, which the operating system's source seeds, and takes no other for RSA
/// (new keys, salts of PSS, blinding) and for the nonces of ECDSA signatures, so the `Entropy` of a program does not reach these.
/// Where the operating system gives no randomness, AWS-LC ends the process.
///
/// [`Provider::with_aead`] makes no allocation of Rust's, but one of C's: aws-lc-rs keeps a prepared AEAD key nowhere else.
#[derive(Clone, Copy, Debug, Default)]
pub struct AwsLc(());

impl AwsLc {
    /// The provider. It holds nothing, and making another costs nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }
}

/// The families into which the signature algorithms fall here.
enum Family {
    Ed25519,
    Ecdsa(&'static ecdsa::Curve),
    Rsa,
}

const fn family(algorithm: SignatureAlgorithm) -> Option<Family> {
    match algorithm {
        SignatureAlgorithm::Ed25519 => Some(Family::Ed25519),
        SignatureAlgorithm::EcdsaP256Sha256 => Some(Family::Ecdsa(&ecdsa::P256)),
        SignatureAlgorithm::EcdsaP384Sha384 => Some(Family::Ecdsa(&ecdsa::P384)),
        _ if rsa::primitives(algorithm).is_some() => Some(Family::Rsa),
        _ => None,
    }
}

impl Provider for AwsLc {
    fn name(&self) -> &'static str {
        "aws-lc"
    }

    fn can(&self, ability: Ability) -> bool {
        match ability {
            Ability::Mac(algorithm) => mac::primitive(algorithm).is_some(),
            Ability::Verify(algorithm)
            | Ability::Sign(algorithm)
            | Ability::Generate(algorithm)
            | Ability::PublicHalf(algorithm) => family(algorithm).is_some(),
            _ => false,
        }
    }

    fn hash(&self) -> &dyn Hash {
        &Sha2
    }

    fn mac(&self, algorithm: MacAlgorithm, key: &[u8]) -> Result<Arc<dyn Mac>, Error> {
        Ok(Arc::new(HmacSha2::new(algorithm, key)?))
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
        Ok(match family(key.algorithm()).ok_or(ErrorKind::Unsupported)? {
            Family::Ed25519 => Arc::new(ed25519::Ed25519Signer::new(key)?),
            Family::Ecdsa(curve) => Arc::new(ecdsa::EcdsaSigner::new(curve, key)?),
            Family::Rsa => Arc::new(rsa::RsaSigner::new(key)?),
        })
    }

    fn verifier(&self, key: &PublicKey) -> Result<Arc<dyn SignatureVerifier>, Error> {
        Ok(match family(key.algorithm()).ok_or(ErrorKind::Unsupported)? {
            Family::Ed25519 => Arc::new(ed25519::Ed25519Verifier::new(key)?),
            Family::Ecdsa(curve) => Arc::new(ecdsa::EcdsaVerifier::new(curve, key)?),
            Family::Rsa => Arc::new(rsa::RsaVerifier::new(key)?),
        })
    }

    fn private_key(&self, algorithm: SignatureAlgorithm, secret: SecretBytes) -> Result<PrivateKey, Error> {
        match family(algorithm).ok_or(ErrorKind::Unsupported)? {
            Family::Ed25519 => ed25519::private_key(secret),
            Family::Ecdsa(curve) => ecdsa::private_key(curve, secret),
            Family::Rsa => rsa::private_key(algorithm, secret),
        }
    }

    /// Seeds and scalars come from `entropy`; an RSA key comes from AWS-LC's own source, whatever is passed.
    fn generate(&self, algorithm: SignatureAlgorithm, entropy: &dyn Entropy) -> Result<PrivateKey, Error> {
        match family(algorithm).ok_or(ErrorKind::Unsupported)? {
            Family::Ed25519 => {
                ed25519::private_key(SecretArray::<32>::try_filled(|seed| entropy.fill(seed))?.into())
            }
            Family::Ecdsa(curve) => ecdsa::generate(curve, entropy),
            Family::Rsa => rsa::generate(algorithm, RsaSize::Bits3072),
        }
    }

    /// From AWS-LC's own source, whatever is passed.
    fn generate_rsa(
        &self,
        algorithm: SignatureAlgorithm,
        size: RsaSize,
        _: &dyn Entropy,
    ) -> Result<PrivateKey, Error> {
        match family(algorithm) {
            Some(Family::Rsa) => rsa::generate(algorithm, size),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }
}

/// The source that signing functions of aws-lc-rs ask for and do not look at: AWS-LC draws from its own.
#[expect(clippy::disallowed_methods, reason = "aws-lc-rs takes no source but this, which it then ignores.")]
fn unread_source() -> SystemRandom {
    SystemRandom::new()
}
