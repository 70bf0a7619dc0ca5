//! ECDSA on P-256 with SHA-256 and on P-384 with SHA-384, signatures as `r ‖ s`.

use std::fmt;

use bartizan_core::SecretBytes;
use bartizan_crypto::{
    Error, ErrorKind, PrivateKey, PublicKey, SignatureAlgorithm, SignatureVerifier, Signer,
};
use ring::{
    agreement::{self, ECDH_P256, ECDH_P384, EphemeralPrivateKey},
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED,
        ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm,
        UnparsedPublicKey,
    },
};

use crate::error;

/// What sets one curve apart from the other.
#[derive(Debug)]
pub(crate) struct Curve {
    algorithm: SignatureAlgorithm,
    signing: &'static EcdsaSigningAlgorithm,
    verification: &'static EcdsaVerificationAlgorithm,
    agreement: &'static agreement::Algorithm,
    scalar_len: usize,
    /// What stands in ring's PKCS#8 document of a key before the scalar: `SEQUENCE { INTEGER 0, SEQUENCE { id-ecPublicKey,
    /// curve }, OCTET STRING { SEQUENCE { INTEGER 1, OCTET STRING`.
    before_scalar: &'static [u8],
    /// What stands between the scalar and the point: `[1] { BIT STRING, no unused bits`.
    between: &'static [u8],
}

pub(crate) static P256: Curve = Curve {
    algorithm: SignatureAlgorithm::EcdsaP256Sha256,
    signing: &ECDSA_P256_SHA256_FIXED_SIGNING,
    verification: &ECDSA_P256_SHA256_FIXED,
    agreement: &ECDH_P256,
    scalar_len: 32,
    before_scalar: &[
        0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
        0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01,
        0x04, 0x20,
    ],
    between: &[0xa1, 0x44, 0x03, 0x42, 0x00],
};

pub(crate) static P384: Curve = Curve {
    algorithm: SignatureAlgorithm::EcdsaP384Sha384,
    signing: &ECDSA_P384_SHA384_FIXED_SIGNING,
    verification: &ECDSA_P384_SHA384_FIXED,
    agreement: &ECDH_P384,
    scalar_len: 48,
    before_scalar: &[
        0x30, 0x81, 0xb6, 0x02, 0x01, 0x00, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
        0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x04, 0x81, 0x9e, 0x30, 0x81, 0x9b, 0x02, 0x01, 0x01, 0x04,
        0x30,
    ],
    between: &[0xa1, 0x64, 0x03, 0x62, 0x00],
};

pub(crate) struct EcdsaSigner {
    curve: &'static Curve,
    length: usize,
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl EcdsaSigner {
    pub(crate) fn new(curve: &'static Curve, key: &PrivateKey, random: &SystemRandom) -> Result<Self, Error> {
        let (secret, public) = (key.secret().expose(), key.public().as_bytes());
        let pair = EcdsaKeyPair::from_private_key_and_public_key(curve.signing, secret, public, random);
        let pair = pair.map_err(error::rejected)?;
        Ok(Self { curve, length: key.public().signature_len(), pair, random: random.clone() })
    }
}

impl Signer for EcdsaSigner {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.curve.algorithm
    }

    fn signature_len(&self) -> usize {
        self.length
    }

    fn sign_into(&self, message: &[u8], signature: &mut [u8]) -> Result<(), Error> {
        if signature.len() != self.length {
            return Err(ErrorKind::TooLong.into());
        }
        signature.copy_from_slice(self.pair.sign(&self.random, message).map_err(error::no_entropy)?.as_ref());
        Ok(())
    }
}

impl fmt::Debug for EcdsaSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EcdsaSigner({:?})", self.curve.algorithm)
    }
}

pub(crate) struct EcdsaVerifier {
    algorithm: SignatureAlgorithm,
    key: UnparsedPublicKey<Box<[u8]>>,
}

impl EcdsaVerifier {
    /// ring parses a public key only when it verifies, and then cannot say that the key was at fault. A key agreement with
    /// the point of the key checks the same (in range, on the curve, not at infinity), once; its result is dropped.
    pub(crate) fn new(curve: &'static Curve, key: &PublicKey, random: &SystemRandom) -> Result<Self, Error> {
        let point = key.as_bytes();
        let ours = EphemeralPrivateKey::generate(curve.agreement, random).map_err(error::no_entropy)?;
        agreement::agree_ephemeral(ours, &agreement::UnparsedPublicKey::new(curve.agreement, point), |_| ())
            .map_err(|_| ErrorKind::Key)?;
        let key = UnparsedPublicKey::new(curve.verification as _, point.into());
        Ok(Self { algorithm: curve.algorithm, key })
    }
}

impl SignatureVerifier for EcdsaVerifier {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        self.key.verify(message, signature).map_err(error::unverified)
    }
}

impl fmt::Debug for EcdsaVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EcdsaVerifier({:?})", self.algorithm)
    }
}

/// A new key, out of the PKCS#8 document that is ring's only way to give one away. ring takes no source of randomness for it
/// but its own.
pub(crate) fn generate(curve: &'static Curve, random: &SystemRandom) -> Result<PrivateKey, Error> {
    let document = EcdsaKeyPair::generate_pkcs8(curve.signing, random);
    let key =
        from_document(curve, document.map_err(error::no_entropy)?.as_ref()).ok_or(ErrorKind::Primitive)?;
    // A layout that changes one day becomes an error here, and never a wrong key: the halves are checked against each other.
    EcdsaSigner::new(curve, &key, random).map_err(|_| ErrorKind::Primitive)?;
    Ok(key)
}

/// `before ‖ scalar ‖ between ‖ point`, all of fixed length (RFC 5958, RFC 5915).
fn from_document(curve: &Curve, document: &[u8]) -> Option<PrivateKey> {
    let (scalar, rest) = document.strip_prefix(curve.before_scalar)?.split_at_checked(curve.scalar_len)?;
    let public = PublicKey::new(curve.algorithm, rest.strip_prefix(curve.between)?).ok()?;
    Some(PrivateKey::new(SecretBytes::new(scalar.to_vec()), public))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "ring takes no other source.")]
    fn a_document_of_any_other_layout_is_refused() {
        for (curve, scalar, point) in [(&P256, 36..68, 74..138), (&P384, 35..83, 89..185)] {
            let document = EcdsaKeyPair::generate_pkcs8(curve.signing, &SystemRandom::new()).unwrap();
            let document = document.as_ref();
            assert!(from_document(curve, document).is_some());
            for at in (0..document.len()).filter(|at| !scalar.contains(at) && !point.contains(at)) {
                let mut other = document.to_vec();
                other[at] ^= 1;
                assert!(from_document(curve, &other).is_none(), "byte {at}");
            }
            for length in 0..document.len() {
                assert!(from_document(curve, &document[..length]).is_none(), "{length} bytes");
            }
            assert!(from_document(curve, &[document, &[0]].concat()).is_none());
        }
    }
}
