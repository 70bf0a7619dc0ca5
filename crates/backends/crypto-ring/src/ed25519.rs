//! Ed25519 (RFC 8032).

use std::fmt;

use bartizan_core::SecretBytes;
use bartizan_crypto::{
    Error, ErrorKind, PrivateKey, PublicKey, SignatureAlgorithm, SignatureVerifier, Signer, is_ed25519_point,
    is_small_order_ed25519,
};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::error;

const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::Ed25519;

pub(crate) struct Ed25519Signer(Ed25519KeyPair);

impl Ed25519Signer {
    pub(crate) fn new(key: &PrivateKey) -> Result<Self, Error> {
        // SECURITY: signing with a public half that belongs to another key gives the secret half away (“double public key
        // oracle”, 2022); ring computes the public half anew and compares.
        let pair = Ed25519KeyPair::from_seed_and_public_key(key.secret().expose(), key.public().as_bytes());
        pair.map(Self).map_err(error::rejected)
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
        signature.copy_from_slice(self.0.sign(message).as_ref());
        Ok(())
    }
}

impl fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ed25519Signer")
    }
}

pub(crate) struct Ed25519Verifier(UnparsedPublicKey<[u8; 32]>);

impl Ed25519Verifier {
    pub(crate) fn new(key: &PublicKey) -> Result<Self, Error> {
        let point: [u8; 32] = key.as_bytes().try_into().map_err(|_| ErrorKind::Key)?;
        if !is_ed25519_point(&point) {
            return Err(ErrorKind::Key.into());
        }
        Ok(Self(UnparsedPublicKey::new(&ED25519, point)))
    }
}

impl SignatureVerifier for Ed25519Verifier {
    fn algorithm(&self) -> SignatureAlgorithm {
        ALGORITHM
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        // SECURITY: ring takes an R of small order. Only the holder of the key can make such a signature, but then it says
        // nothing about a nonce, and other verifiers refuse it: what one accepts and the other refuses is a way to split them.
        if signature.first_chunk().is_none_or(is_small_order_ed25519) {
            return Err(ErrorKind::Unverified.into());
        }
        self.0.verify(message, signature).map_err(error::unverified)
    }
}

impl fmt::Debug for Ed25519Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ed25519Verifier")
    }
}

/// The private key of this seed.
pub(crate) fn private_key(seed: SecretBytes) -> Result<PrivateKey, Error> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(error::rejected)?;
    let public = PublicKey::new(ALGORITHM, pair.public_key().as_ref())?;
    Ok(PrivateKey::new(seed, public))
}
