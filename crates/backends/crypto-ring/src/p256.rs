//! ECDSA on P-256 with SHA-256, signatures as `r ‖ s`.

use std::fmt;

use bartizan_core::SecretArray;
use bartizan_crypto::{
    Error, ErrorKind, PrivateKey, PublicKey, SignatureAlgorithm, SignatureVerifier, Signer,
};
use ring::{
    agreement::{self, ECDH_P256, EphemeralPrivateKey},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey},
};

use crate::error;

const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::EcdsaP256Sha256;

pub(crate) struct P256Signer {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl P256Signer {
    pub(crate) fn new(key: &PrivateKey, random: &SystemRandom) -> Result<Self, Error> {
        let (secret, public) = (key.secret().expose(), key.public().as_bytes());
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            secret,
            public,
            random,
        );
        Ok(Self { pair: pair.map_err(error::rejected)?, random: random.clone() })
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
        signature.copy_from_slice(self.pair.sign(&self.random, message).map_err(error::no_entropy)?.as_ref());
        Ok(())
    }
}

impl fmt::Debug for P256Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P256Signer")
    }
}

pub(crate) struct P256Verifier(UnparsedPublicKey<[u8; 65]>);

impl P256Verifier {
    /// ring parses a public key only when it verifies, and then cannot say that the key was at fault. A key agreement with
    /// the point of the key checks the same (in range, on the curve, not at infinity), once; its result is dropped.
    pub(crate) fn new(key: &PublicKey, random: &SystemRandom) -> Result<Self, Error> {
        let point: [u8; 65] = key.as_bytes().try_into().map_err(|_| ErrorKind::Key)?;
        let ours = EphemeralPrivateKey::generate(&ECDH_P256, random).map_err(error::no_entropy)?;
        agreement::agree_ephemeral(ours, &agreement::UnparsedPublicKey::new(&ECDH_P256, point), |_| ())
            .map_err(|_| ErrorKind::Key)?;
        Ok(Self(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)))
    }
}

impl SignatureVerifier for P256Verifier {
    fn algorithm(&self) -> SignatureAlgorithm {
        ALGORITHM
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        self.0.verify(message, signature).map_err(error::unverified)
    }
}

impl fmt::Debug for P256Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P256Verifier")
    }
}

/// A new key, out of the PKCS#8 document that is ring's only way to give one away. ring takes no source of randomness for it
/// but its own.
pub(crate) fn generate(random: &SystemRandom) -> Result<PrivateKey, Error> {
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, random);
    let key = from_document(document.map_err(error::no_entropy)?.as_ref()).ok_or(ErrorKind::Primitive)?;
    // A layout that changes one day becomes an error here, and never a wrong key: the halves are checked against each other.
    P256Signer::new(&key, random).map_err(|_| ErrorKind::Primitive)?;
    Ok(key)
}

/// `before ‖ scalar ‖ between ‖ point`, all of fixed length (RFC 5958, RFC 5915).
fn from_document(document: &[u8]) -> Option<PrivateKey> {
    let (scalar, rest) = document.strip_prefix(&BEFORE_SCALAR)?.split_first_chunk::<32>()?;
    let public = PublicKey::new(ALGORITHM, rest.strip_prefix(&BETWEEN)?).ok()?;
    let filled: Result<_, std::convert::Infallible> = SecretArray::try_filled(|secret| {
        secret.copy_from_slice(scalar);
        Ok(())
    });
    filled.ok().map(|secret| PrivateKey::new(secret, public))
}

/// `SEQUENCE { INTEGER 0, SEQUENCE { id-ecPublicKey, prime256v1 }, OCTET STRING { SEQUENCE { INTEGER 1, OCTET STRING`.
const BEFORE_SCALAR: [u8; 36] = [
    0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01,
    0x04, 0x20,
];

/// `[1] { BIT STRING, no unused bits`.
const BETWEEN: [u8; 5] = [0xa1, 0x44, 0x03, 0x42, 0x00];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "ring takes no other source.")]
    fn a_document_of_any_other_layout_is_refused() {
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let document = document.as_ref();
        assert!(from_document(document).is_some());
        let (scalar, point) = (36..68, 74..138);
        for at in (0..document.len()).filter(|at| !scalar.contains(at) && !point.contains(at)) {
            let mut other = document.to_vec();
            other[at] ^= 1;
            assert!(from_document(&other).is_none(), "byte {at}");
        }
        for length in 0..document.len() {
            assert!(from_document(&document[..length]).is_none(), "{length} bytes");
        }
        assert!(from_document(&[document, &[0]].concat()).is_none());
    }
}
