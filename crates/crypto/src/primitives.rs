//! The traits of the primitives. Each value of them is a prepared key.

use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;

use crate::{Error, MacAlgorithm, SignatureAlgorithm};

/// A hash function.
pub trait Hash: Send + Sync {
    /// SHA-256 of the parts, one after the other (FIPS 180-4).
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32];

    /// SHA-384 of the parts, one after the other.
    fn sha384(&self, parts: &[&[u8]]) -> [u8; 48];

    /// SHA-512 of the parts, one after the other.
    fn sha512(&self, parts: &[&[u8]]) -> [u8; 64];
}

/// A tag of up to 64 bytes.
#[derive(Clone, Copy)]
pub struct MacTag {
    bytes: [u8; 64],
    length: usize,
}

impl MacTag {
    /// From the bytes of a tag; what is over 64 bytes is left out.
    #[must_use]
    pub fn new(tag: &[u8]) -> Self {
        let mut bytes = [0; 64];
        let length = tag.len().min(64);
        bytes.iter_mut().zip(tag).for_each(|(to, from)| *to = *from);
        Self { bytes, length }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// A tag stands for a secret as long as nobody has seen it: nothing is shown.
impl Debug for MacTag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MacTag")
    }
}

/// A MAC with its key.
pub trait Mac: Debug + Send + Sync {
    /// The algorithm.
    fn algorithm(&self) -> MacAlgorithm;

    /// The tag of the parts, one after the other.
    fn tag(&self, parts: &[&[u8]]) -> MacTag;

    /// Compares in constant time with the tag of the parts.
    ///
    /// # Errors
    /// [`ErrorKind::Unverified`](crate::ErrorKind::Unverified), also for a tag of another length.
    fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> Result<(), Error>;
}

/// HKDF-Expand with SHA-256 under one pseudorandom key (RFC 5869 §2.3).
pub trait Kdf: Debug + Send + Sync {
    /// Fills `okm`, at most 8,160 bytes. The info is the parts, one after the other.
    ///
    /// # Errors
    /// [`ErrorKind::TooLong`](crate::ErrorKind::TooLong) when more is asked for; `okm` then stays as it was.
    fn expand(&self, info: &[&[u8]], okm: &mut [u8]) -> Result<(), Error>;
}

/// AES-256-GCM under one key, in place, nonces of 12 and tags of 16 bytes (NIST SP 800-38D).
pub trait Aead {
    /// Encrypts in place and returns the tag.
    ///
    /// # Errors
    /// [`ErrorKind::TooLong`](crate::ErrorKind::TooLong) beyond 2^36 − 32 bytes, about 64 GiB.
    ///
    /// # Security
    /// A nonce must never repeat under one key.
    fn seal(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8]) -> Result<[u8; 16], Error>;

    /// Checks the tag and decrypts in place. On failure `in_out` holds zeros: no plaintext is released unchecked.
    ///
    /// # Errors
    /// [`ErrorKind::Unverified`](crate::ErrorKind::Unverified).
    fn open(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8], tag: &[u8; 16]) -> Result<(), Error>;
}

/// A private key, prepared.
pub trait Signer: Debug + Send + Sync {
    /// The algorithm.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// Length of its signatures in bytes.
    fn signature_len(&self) -> usize;

    /// Signs into a buffer of exactly [`Signer::signature_len`] bytes.
    ///
    /// # Errors
    /// [`ErrorKind::TooLong`](crate::ErrorKind::TooLong) for a buffer of another length, which stays as it was,
    /// [`ErrorKind::Entropy`](crate::ErrorKind::Entropy) when the primitive draws randomness and cannot,
    /// [`ErrorKind::Primitive`](crate::ErrorKind::Primitive) when the primitive fails.
    fn sign_into(&self, message: &[u8], signature: &mut [u8]) -> Result<(), Error>;

    /// Signs into a new buffer.
    ///
    /// # Errors
    /// As [`Signer::sign_into`].
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = vec![0; self.signature_len()];
        self.sign_into(message, &mut signature)?;
        Ok(signature)
    }
}

/// A private key that is elsewhere: a KMS or an HSM.
#[async_trait]
pub trait AsyncSigner: Debug + Send + Sync {
    /// The algorithm.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// Signs.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when the key cannot be reached, else as
    /// [`Signer::sign_into`].
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error>;
}

/// A local signer where a remote one is asked for.
///
/// A type of its own, and not `Arc<dyn Signer>`: with both traits at hand `signer.sign(…)` would quietly be the asynchronous one.
#[derive(Clone, Debug)]
pub struct LocalSigner(Arc<dyn Signer>);

impl LocalSigner {
    /// Signs with this signer, at once.
    #[must_use]
    pub const fn new(signer: Arc<dyn Signer>) -> Self {
        Self(signer)
    }
}

#[async_trait]
impl AsyncSigner for LocalSigner {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.sign(message)
    }
}

/// A public key, prepared.
pub trait SignatureVerifier: Debug + Send + Sync {
    /// The algorithm.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// Checks a signature. ECDSA accepts `r ‖ s` of exactly 64 or 96 bytes and no DER. RSA accepts exactly as many bytes as the
    /// modulus has, a number below it, the one padding of PKCS #1 v1.5 or a salt of PSS as long as the hash. Ed25519 refuses `s`
    /// not below the order and `R` of small order, and holds the equation without the cofactor.
    ///
    /// # Security
    /// A signature is no identity of what it signs: ECDSA accepts both `s` and `n − s`, as JWS does, so everybody can make a
    /// second signature of one they have seen. Recognise repeats by what is signed.
    ///
    /// # Errors
    /// [`ErrorKind::Unverified`](crate::ErrorKind::Unverified), whatever is wrong with it.
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error>;
}
