//! Where primitives come from.

use std::{fmt::Debug, sync::Arc};

use bartizan_core::{Entropy, SecretArray, SecretBytes};

use crate::{
    Aead, Error, ErrorKind, Hash, Kdf, Mac, MacAlgorithm, PrivateKey, PublicKey, SignatureAlgorithm,
    SignatureVerifier, Signer,
};

/// One thing that a provider may be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ability {
    /// [`Provider::mac`].
    Mac(MacAlgorithm),
    /// [`Provider::verifier`].
    Verify(SignatureAlgorithm),
    /// [`Provider::signer`].
    Sign(SignatureAlgorithm),
    /// [`Provider::generate`].
    Generate(SignatureAlgorithm),
    /// [`Provider::private_key`].
    PublicHalf(SignatureAlgorithm),
}

/// Sizes in which RSA keys are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RsaSize {
    /// 3072 bits, about as strong as P-256 (NIST SP 800-57 part 1, table 2).
    Bits3072,
    /// 4096 bits.
    Bits4096,
}

/// A family of primitives: a value that a program passes to the constructors that need it. There is no default, no global
/// and no feature that picks one; several live in one program without noticing each other.
pub trait Provider: Debug + Send + Sync + 'static {
    /// Its name, for records and messages.
    fn name(&self) -> &'static str;

    /// What it can do. All else is [`ErrorKind::Unsupported`] when it is asked for, before any key is looked at.
    fn can(&self, ability: Ability) -> bool;

    /// The hash functions.
    fn hash(&self) -> &dyn Hash;

    /// Prepares a MAC key.
    ///
    /// # Errors
    /// [`ErrorKind::Key`](crate::ErrorKind::Key) when the key is shorter than the tag,
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) when the provider lacks the algorithm.
    fn mac(&self, algorithm: MacAlgorithm, key: &[u8]) -> Result<Arc<dyn Mac>, Error>;

    /// Prepares a pseudorandom key for HKDF-Expand with SHA-256. It must be uniformly random.
    ///
    /// # Errors
    /// None in the providers of the house; a remote one may be [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable).
    fn kdf(&self, key: &SecretArray<32>) -> Result<Arc<dyn Kdf>, Error>;

    /// Prepares an AES-256-GCM key for as long as `work` runs, without an allocation.
    ///
    /// # Errors
    /// What `work` answers, and [`ErrorKind::Primitive`](crate::ErrorKind::Primitive).
    fn with_aead(
        &self,
        key: &[u8; 32],
        work: &mut dyn FnMut(&dyn Aead) -> Result<(), Error>,
    ) -> Result<(), Error>;

    /// Prepares a private key.
    ///
    /// # Errors
    /// [`ErrorKind::Key`](crate::ErrorKind::Key) when its halves do not belong together, its secret half is of another length than
    /// [`SignatureAlgorithm::secret_len`], or an RSA key is beyond what the provider signs with,
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) when the provider lacks the algorithm.
    fn signer(&self, key: &PrivateKey) -> Result<Arc<dyn Signer>, Error>;

    /// Prepares a public key.
    ///
    /// # Errors
    /// [`ErrorKind::Key`](crate::ErrorKind::Key) when it is no point of its curve,
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) when the provider lacks the algorithm.
    fn verifier(&self, key: &PublicKey) -> Result<Arc<dyn SignatureVerifier>, Error>;

    /// The private key of these secret bytes, with its public half computed.
    ///
    /// # Errors
    /// [`ErrorKind::Key`](crate::ErrorKind::Key) when the bytes are no key, or one that [`Provider::signer`] would refuse,
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) when the provider cannot compute the public half.
    fn private_key(&self, algorithm: SignatureAlgorithm, secret: SecretBytes) -> Result<PrivateKey, Error>;

    /// Makes a new private key; an RSA key of 3072 bits. A provider whose primitive takes no other source of randomness than its
    /// own says so, and leaves `entropy`.
    ///
    /// # Errors
    /// [`ErrorKind::Entropy`](crate::ErrorKind::Entropy) when no randomness can be had,
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) when the provider lacks the algorithm.
    fn generate(&self, algorithm: SignatureAlgorithm, entropy: &dyn Entropy) -> Result<PrivateKey, Error>;

    /// Makes a new RSA key of this size, with the exponent 65,537.
    ///
    /// # Errors
    /// As [`Provider::generate`]; [`ErrorKind::Unsupported`] for an algorithm that is not of RSA, and without an implementation
    /// of its own.
    fn generate_rsa(
        &self,
        algorithm: SignatureAlgorithm,
        size: RsaSize,
        entropy: &dyn Entropy,
    ) -> Result<PrivateKey, Error> {
        let _ = (algorithm, size, entropy);
        Err(ErrorKind::Unsupported.into())
    }
}
