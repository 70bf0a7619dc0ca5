//! ECDSA on P-256 with SHA-256, signatures as `r ‖ s`, nonces of RFC 6979.

use std::fmt;

use bartizan_core::{Entropy, SecretArray};
use bartizan_crypto::{
    Error, ErrorKind, PrivateKey, PublicKey, SignatureAlgorithm, SignatureVerifier, Signer,
};
use p256::ecdsa::{
    Signature, SigningKey, VerifyingKey,
    signature::{Signer as _, Verifier as _},
};

const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::EcdsaP256Sha256;

/// How often a scalar is drawn before the source is held to be broken: a good one needs a second draw once in 2^32.
const MAX_DRAWS: usize = 8;

pub(crate) struct P256Signer(SigningKey);

impl P256Signer {
    pub(crate) fn new(key: &PrivateKey) -> Result<Self, Error> {
        let signing = SigningKey::from_slice(key.secret().expose()).map_err(|_| ErrorKind::Key)?;
        if public_key(&signing)? != *key.public() {
            return Err(ErrorKind::Key.into());
        }
        Ok(Self(signing))
    }
}

impl Signer for P256Signer {
    fn algorithm(&self) -> SignatureAlgorithm {
        ALGORITHM
    }

    fn sign_into(&self, message: &[u8], signature: &mut [u8]) -> Result<(), Error> {
        if signature.len() != ALGORITHM.signature_len() {
            return Err(ErrorKind::TooLong.into());
        }
        let made: Signature = self.0.try_sign(message).map_err(|_| ErrorKind::Primitive)?;
        signature.copy_from_slice(&made.to_bytes());
        Ok(())
    }
}

impl fmt::Debug for P256Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P256Signer")
    }
}

pub(crate) struct P256Verifier(VerifyingKey);

impl P256Verifier {
    pub(crate) fn new(key: &PublicKey) -> Result<Self, Error> {
        VerifyingKey::from_sec1_bytes(key.as_bytes()).map(Self).map_err(|_| ErrorKind::Key.into())
    }
}

impl SignatureVerifier for P256Verifier {
    fn algorithm(&self) -> SignatureAlgorithm {
        ALGORITHM
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        // Exactly 64 bytes, both numbers in 1 … n − 1. A high s is as good as a low one (RFC 7515 knows no rule against it), so
        // a signature is no identity of what it signs.
        let signature = Signature::from_slice(signature).map_err(|_| ErrorKind::Unverified)?;
        self.0.verify(message, &signature).map_err(|_| ErrorKind::Unverified.into())
    }
}

impl fmt::Debug for P256Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P256Verifier")
    }
}

/// The private key of this scalar, 1 … n − 1, big endian.
pub(crate) fn private_key(scalar: SecretArray<32>) -> Result<PrivateKey, Error> {
    let signing = SigningKey::from_slice(scalar.expose()).map_err(|_| ErrorKind::Key)?;
    let public = public_key(&signing)?;
    Ok(PrivateKey::new(scalar, public))
}

/// A new key by rejection sampling (FIPS 186-5, A.2.2): no scalar is likelier than another.
pub(crate) fn generate(entropy: &dyn Entropy) -> Result<PrivateKey, Error> {
    for _ in 0..MAX_DRAWS {
        let key = private_key(SecretArray::try_filled(|scalar| entropy.fill(scalar))?);
        if !matches!(&key, Err(error) if error.kind() == ErrorKind::Key) {
            return key;
        }
    }
    Err(ErrorKind::Entropy.into())
}

fn public_key(signing: &SigningKey) -> Result<PublicKey, Error> {
    PublicKey::new(ALGORITHM, signing.verifying_key().to_sec1_point(false).as_bytes())
}
