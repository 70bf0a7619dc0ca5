//! Where primitives come from.

use std::{fmt::Debug, sync::Arc};

use bartizan_core::{Entropy, SecretArray};

use crate::{
    Aead, Error, Hash, Kdf, Mac, MacAlgorithm, PrivateKey, PublicKey, SignatureAlgorithm, SignatureVerifier,
    Signer,
};

/// A family of primitives: a value that a program passes to the constructors that need it. There is no default, no global
/// and no feature that picks one; several live in one program without noticing each other.
pub trait Provider: Debug + Send + Sync + 'static {
    /// Its name, for records and messages.
    fn name(&self) -> &'static str;

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
    /// [`ErrorKind::Key`](crate::ErrorKind::Key) when its halves do not belong together,
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
    /// [`ErrorKind::Key`](crate::ErrorKind::Key) when the bytes are no key, [`ErrorKind::Unsupported`](
    /// crate::ErrorKind::Unsupported) when the provider cannot compute the public half.
    fn private_key(
        &self,
        algorithm: SignatureAlgorithm,
        secret: SecretArray<32>,
    ) -> Result<PrivateKey, Error>;

    /// Makes a new private key. A provider whose primitive takes no other source than its own says so, and leaves `entropy`.
    ///
    /// # Errors
    /// [`ErrorKind::Entropy`](crate::ErrorKind::Entropy) when no randomness can be had,
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) when the provider lacks the algorithm.
    fn generate(&self, algorithm: SignatureAlgorithm, entropy: &dyn Entropy) -> Result<PrivateKey, Error>;
}
