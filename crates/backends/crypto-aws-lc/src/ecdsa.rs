//! ECDSA on P-256 with SHA-256 and on P-384 with SHA-384, signatures as `r ‖ s`.

use std::fmt;

use aws_lc_rs::{
    agreement,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED,
        ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm,
        ParsedPublicKey,
    },
};
use bartizan_core::{Entropy, SecretArray, SecretBytes};
use bartizan_crypto::{
    Error, ErrorKind, PrivateKey, PublicKey, SignatureAlgorithm, SignatureVerifier, Signer,
};

use crate::{error, unread_source};

/// What sets one curve apart from the other.
#[derive(Debug)]
pub(crate) struct Curve {
    algorithm: SignatureAlgorithm,
    signing: &'static EcdsaSigningAlgorithm,
    verification: &'static EcdsaVerificationAlgorithm,
    agreement: &'static agreement::Algorithm,
    scalar_len: usize,
}

pub(crate) static P256: Curve = Curve {
    algorithm: SignatureAlgorithm::EcdsaP256Sha256,
    signing: &ECDSA_P256_SHA256_FIXED_SIGNING,
    verification: &ECDSA_P256_SHA256_FIXED,
    agreement: &agreement::ECDH_P256,
    scalar_len: 32,
};

pub(crate) static P384: Curve = Curve {
    algorithm: SignatureAlgorithm::EcdsaP384Sha384,
    signing: &ECDSA_P384_SHA384_FIXED_SIGNING,
    verification: &ECDSA_P384_SHA384_FIXED,
    agreement: &agreement::ECDH_P384,
    scalar_len: 48,
};

/// How often a scalar is drawn before the source is held to be broken: a good one needs a second draw once in 2^32.
const MAX_DRAWS: usize = 8;

pub(crate) struct EcdsaSigner {
    curve: &'static Curve,
    pair: EcdsaKeyPair,
}

impl EcdsaSigner {
    pub(crate) fn new(curve: &'static Curve, key: &PrivateKey) -> Result<Self, Error> {
        let (secret, public) = (key.secret().expose(), key.public().as_bytes());
        // A scalar has one encoding; AWS-LC takes shorter and longer ones of the same number.
        if secret.len() != curve.scalar_len {
            return Err(ErrorKind::Key.into());
        }
        let pair = EcdsaKeyPair::from_private_key_and_public_key(curve.signing, secret, public);
        Ok(Self { curve, pair: pair.map_err(error::rejected)? })
    }
}

impl Signer for EcdsaSigner {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.curve.algorithm
    }

    fn signature_len(&self) -> usize {
        2 * self.curve.scalar_len
    }

    fn sign_into(&self, message: &[u8], signature: &mut [u8]) -> Result<(), Error> {
        if signature.len() != self.signature_len() {
            return Err(ErrorKind::TooLong.into());
        }
        let made = self.pair.sign(&unread_source(), message).map_err(error::impossible)?;
        signature.copy_from_slice(made.as_ref());
        Ok(())
    }
}

impl fmt::Debug for EcdsaSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EcdsaSigner({:?})", self.curve.algorithm)
    }
}

pub(crate) struct EcdsaVerifier {
    curve: &'static Curve,
    key: ParsedPublicKey,
}

impl EcdsaVerifier {
    pub(crate) fn new(curve: &'static Curve, key: &PublicKey) -> Result<Self, Error> {
        let parsed = ParsedPublicKey::new(curve.verification, key.as_bytes()).map_err(error::rejected)?;
        Ok(Self { curve, key: parsed })
    }
}

impl SignatureVerifier for EcdsaVerifier {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.curve.algorithm
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        self.key.verify_sig(message, signature).map_err(error::unverified)
    }
}

impl fmt::Debug for EcdsaVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EcdsaVerifier({:?})", self.curve.algorithm)
    }
}

/// The private key of this scalar, 1 … n − 1, big endian.
pub(crate) fn private_key(curve: &'static Curve, scalar: SecretBytes) -> Result<PrivateKey, Error> {
    // Of a signing key aws-lc-rs wants both halves; of a key for agreement, which is the same scalar, it computes the point.
    let key =
        agreement::PrivateKey::from_private_key(curve.agreement, scalar.expose()).map_err(error::rejected)?;
    let public = key.compute_public_key().map_err(error::impossible)?;
    let public = PublicKey::new(curve.algorithm, public.as_ref())?;
    Ok(PrivateKey::new(scalar, public))
}

/// A new key by rejection sampling (FIPS 186-5, A.2.2): no scalar is likelier than another.
pub(crate) fn generate(curve: &'static Curve, entropy: &dyn Entropy) -> Result<PrivateKey, Error> {
    for _ in 0..MAX_DRAWS {
        let key = private_key(curve, draw(curve, entropy)?);
        if !matches!(&key, Err(error) if error.kind() == ErrorKind::Key) {
            return key;
        }
    }
    Err(ErrorKind::Entropy.into())
}

fn draw(curve: &Curve, entropy: &dyn Entropy) -> Result<SecretBytes, Error> {
    Ok(match curve.scalar_len {
        48 => SecretArray::<48>::try_filled(|scalar| entropy.fill(scalar))?.into(),
        _ => SecretArray::<32>::try_filled(|scalar| entropy.fill(scalar))?.into(),
    })
}
