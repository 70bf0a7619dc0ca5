//! RSA: RSASSA-PSS and RSASSA-PKCS1-v1_5 (RFC 8017).

use std::fmt;

use bartizan_core::SecretBytes;
use bartizan_crypto::{
    Error, ErrorKind, PrivateKey, PublicKey, SignatureAlgorithm, SignatureVerifier, Signer,
};
use ring::{
    rand::SystemRandom,
    rsa::{KeyPair, PublicKeyComponents},
    signature::{
        RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256,
        RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
        RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaParameters,
    },
};

use crate::error;

/// Longest modulus that ring signs with, in bytes.
const MAX_SIGNED: usize = 512;

pub(crate) struct RsaSigner {
    algorithm: SignatureAlgorithm,
    padding: &'static dyn RsaEncoding,
    /// Whether the padding has a salt.
    draws: bool,
    pair: KeyPair,
    random: SystemRandom,
}

impl RsaSigner {
    pub(crate) fn new(key: &PrivateKey, random: &SystemRandom) -> Result<Self, Error> {
        let algorithm = key.algorithm();
        let pair = key_pair(key.secret().expose(), random)?;
        // SECURITY: what is published must be what signs. Both are the one DER encoding of modulus and exponent.
        if pair.public().as_ref() != key.public().as_bytes() {
            return Err(ErrorKind::Key.into());
        }
        let (padding, draws) = padding(algorithm)?;
        Ok(Self { algorithm, padding, draws, pair, random: random.clone() })
    }
}

impl Signer for RsaSigner {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn signature_len(&self) -> usize {
        self.pair.public().modulus_len()
    }

    fn sign_into(&self, message: &[u8], signature: &mut [u8]) -> Result<(), Error> {
        if signature.len() != self.signature_len() {
            return Err(ErrorKind::TooLong.into());
        }
        // The key has signed once, so what can fail is the source of PSS salts, or the machine: ring checks each signature that
        // it made before it gives it away (Boneh, DeMillo, Lipton 1997).
        let failed = if self.draws { error::no_entropy } else { error::impossible };
        self.pair.sign(self.padding, &self.random, message, signature).map_err(failed)
    }
}

impl fmt::Debug for RsaSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaSigner({:?})", self.algorithm)
    }
}

/// ring has no prepared form of a public key: it computes the constants of the modulus anew for each signature, on the heap.
/// What can be kept is kept: the two numbers, so that no DER is read again.
pub(crate) struct RsaVerifier {
    algorithm: SignatureAlgorithm,
    parameters: &'static RsaParameters,
    key: PublicKeyComponents<Box<[u8]>>,
}

impl RsaVerifier {
    /// Size, parity and exponent were checked when the [`PublicKey`] was made, and that is all that ring asks of it.
    pub(crate) fn new(key: &PublicKey) -> Result<Self, Error> {
        let algorithm = key.algorithm();
        let (n, e) = key.rsa_numbers().ok_or(ErrorKind::Key)?;
        let key = PublicKeyComponents { n: n.into(), e: e.into() };
        Ok(Self { algorithm, parameters: parameters(algorithm)?, key })
    }
}

impl SignatureVerifier for RsaVerifier {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        self.key.verify(self.parameters, message, signature).map_err(error::unverified)
    }
}

impl fmt::Debug for RsaVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaVerifier({:?})", self.algorithm)
    }
}

/// The private key of this `RSAPrivateKey`.
pub(crate) fn private_key(
    algorithm: SignatureAlgorithm,
    der: SecretBytes,
    random: &SystemRandom,
) -> Result<PrivateKey, Error> {
    let public = PublicKey::new(algorithm, key_pair(der.expose(), random)?.public().as_ref())?;
    Ok(PrivateKey::new(der, public))
}

/// ring checks the numbers of a key against each other when it reads them, but `e`, `dP` and `dQ` only when it signs.
fn key_pair(der: &[u8], random: &SystemRandom) -> Result<KeyPair, Error> {
    let pair = KeyPair::from_der(der).map_err(error::rejected)?;
    let mut buffer = [0; MAX_SIGNED];
    let signature = buffer.get_mut(..pair.public().modulus_len()).ok_or(ErrorKind::Key)?;
    // This padding draws nothing: whatever fails is the key's fault.
    pair.sign(&RSA_PKCS1_SHA256, random, b"", signature).map_err(|_| ErrorKind::Key)?;
    Ok(pair)
}

/// The padding, and whether it has a salt.
fn padding(algorithm: SignatureAlgorithm) -> Result<(&'static dyn RsaEncoding, bool), Error> {
    match algorithm {
        SignatureAlgorithm::RsaPssSha256 => Ok((&RSA_PSS_SHA256, true)),
        SignatureAlgorithm::RsaPssSha384 => Ok((&RSA_PSS_SHA384, true)),
        SignatureAlgorithm::RsaPssSha512 => Ok((&RSA_PSS_SHA512, true)),
        SignatureAlgorithm::RsaPkcs1Sha256 => Ok((&RSA_PKCS1_SHA256, false)),
        SignatureAlgorithm::RsaPkcs1Sha384 => Ok((&RSA_PKCS1_SHA384, false)),
        SignatureAlgorithm::RsaPkcs1Sha512 => Ok((&RSA_PKCS1_SHA512, false)),
        _ => Err(ErrorKind::Unsupported.into()),
    }
}

fn parameters(algorithm: SignatureAlgorithm) -> Result<&'static RsaParameters, Error> {
    match algorithm {
        SignatureAlgorithm::RsaPssSha256 => Ok(&RSA_PSS_2048_8192_SHA256),
        SignatureAlgorithm::RsaPssSha384 => Ok(&RSA_PSS_2048_8192_SHA384),
        SignatureAlgorithm::RsaPssSha512 => Ok(&RSA_PSS_2048_8192_SHA512),
        SignatureAlgorithm::RsaPkcs1Sha256 => Ok(&RSA_PKCS1_2048_8192_SHA256),
        SignatureAlgorithm::RsaPkcs1Sha384 => Ok(&RSA_PKCS1_2048_8192_SHA384),
        SignatureAlgorithm::RsaPkcs1Sha512 => Ok(&RSA_PKCS1_2048_8192_SHA512),
        _ => Err(ErrorKind::Unsupported.into()),
    }
}
