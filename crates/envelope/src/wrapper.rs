//! The seam to key management: what wraps scope keys.

use std::fmt::Debug;

use async_trait::async_trait;
use bartizan_core::{SecretArray, SecretBytes};

use crate::{Error, KeyContext};

/// Wraps scope keys under a key that never leaves it: a local master key, a KMS, an HSM.
///
/// It wraps what it is given and never makes keys: those come from the program's entropy. It must wrap with authenticated
/// symmetric encryption; a wrap under a public key could be made by anyone.
///
/// Errors are told apart by kind: `Throttled`, `Unavailable`, `Denied`, `Disabled`, `WrappingKey` (wrapped under a key that
/// is not this one), and `Integrity` for everything that does not unwrap.
#[async_trait]
pub trait KeyWrapper: Debug + Send + Sync + 'static {
    /// A name for records and messages: which product, which key. No secret.
    fn describe(&self) -> String;

    /// Wraps a payload of 64 bytes and binds it to the context, if it can bind one. At most
    /// [`MAX_WRAPPED`](crate::MAX_WRAPPED) bytes come out.
    ///
    /// # Errors
    /// `Throttled`, `Unavailable`, `Denied` or `Disabled`.
    ///
    /// # Security
    /// A KMS logs its encryption context: give it [`KeyContext::digest`], never names.
    async fn wrap(&self, context: &KeyContext<'_>, payload: &SecretArray<64>) -> Result<Vec<u8>, Error>;

    /// Unwraps. Whoever calls checks length and context of what comes out.
    ///
    /// # Errors
    /// As [`KeyWrapper::wrap`], `WrappingKey`, and `Integrity` for bytes that do not unwrap in this context.
    async fn unwrap(&self, context: &KeyContext<'_>, wrapped: &[u8]) -> Result<SecretBytes, Error>;
}
