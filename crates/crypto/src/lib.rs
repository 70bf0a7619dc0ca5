#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod algorithm;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod key;
mod lifecycle;
mod primitives;
mod provider;

pub use algorithm::{MacAlgorithm, SignatureAlgorithm};
pub use error::{Error, ErrorKind};
pub use key::{PrivateKey, PublicKey, is_small_order_ed25519};
pub use lifecycle::{Consumer, Lifecycle, NotPossible};
pub use primitives::{Aead, AsyncSigner, Hash, Kdf, LocalSigner, Mac, MacTag, SignatureVerifier, Signer};
pub use provider::Provider;
