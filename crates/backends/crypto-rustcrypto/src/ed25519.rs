//! Ed25519 (RFC 8032).

use std::fmt;

use bartizan_core::SecretBytes;
use bartizan_crypto::{
    Error, ErrorKind, PrivateKey, PublicKey, SignatureAlgorithm, SignatureVerifier, Signer,
};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::Ed25519;

pub(crate) struct Ed25519Signer(SigningKey);

impl Ed25519Signer {
    pub(crate) fn new(key: &PrivateKey) -> Result<Self, Error> {
        let seed = key.secret().expose().try_into().map_err(|_| ErrorKind::Key)?;
        let signing = SigningKey::from_bytes(seed);
        // SECURITY: signing with a public half that belongs to another key gives the secret half away (“double public key
        // oracle”, 2022).
        if signing.verifying_key().as_bytes() != key.public().as_bytes() {
            return Err(ErrorKind::Key.into());
        }
        Ok(Self(signing))
    }
}

impl Signer for Ed25519Signer {
    fn algorithm(&self) -> SignatureAlgorithm {
        ALGORITHM
    }

    fn signature_len(&self) -> usize {
        64
    }

    fn sign_into(&self, message: &[u8], signature: &mut [u8]) -> Result<(), Error> {
        if signature.len() != self.signature_len() {
            return Err(ErrorKind::TooLong.into());
        }
        let made = self.0.try_sign(message).map_err(|_| ErrorKind::Primitive)?;
        signature.copy_from_slice(&made.to_bytes());
        Ok(())
    }
}

impl fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ed25519Signer")
    }
}

pub(crate) struct Ed25519Verifier(VerifyingKey);

impl Ed25519Verifier {
    pub(crate) fn new(key: &PublicKey) -> Result<Self, Error> {
        let point: &[u8; 32] = key.as_bytes().try_into().map_err(|_| ErrorKind::Key)?;
        VerifyingKey::from_bytes(point).map(Self).map_err(|_| ErrorKind::Key.into())
    }
}

impl SignatureVerifier for Ed25519Verifier {
    fn algorithm(&self) -> SignatureAlgorithm {
        ALGORITHM
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let signature = Signature::from_slice(signature).map_err(|_| ErrorKind::Unverified)?;
        // SECURITY: the strict form also refuses an R of small order, as every provider of the house does: what one verifier
        // accepts and another refuses is a way to split them.
        self.0.verify_strict(message, &signature).map_err(|_| ErrorKind::Unverified.into())
    }
}

impl fmt::Debug for Ed25519Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ed25519Verifier")
    }
}

/// The private key of this seed.
pub(crate) fn private_key(seed: SecretBytes) -> Result<PrivateKey, Error> {
    let bytes = seed.expose().try_into().map_err(|_| ErrorKind::Key)?;
    let public = PublicKey::new(ALGORITHM, SigningKey::from_bytes(bytes).verifying_key().as_bytes())?;
    Ok(PrivateKey::new(seed, public))
}
