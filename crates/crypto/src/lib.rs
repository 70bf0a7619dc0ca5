#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod algorithm;
#[cfg(feature = "conformance")]
pub mod conformance;
mod consumers;
mod error;
mod key;
mod lifecycle;
mod point;
mod primitives;
mod provider;
pub mod rotation;
mod rsa;

pub use algorithm::{MAX_SIGNATURE, MacAlgorithm, SignatureAlgorithm};
pub use consumers::{Consumers, Holding, Why};
pub use error::{Error, ErrorKind};
pub use key::{PrivateKey, PublicKey, is_small_order_ed25519};
pub use lifecycle::{Consumer, Lifecycle, NotPossible};
pub use point::is_ed25519_point;
pub use primitives::{Aead, AsyncSigner, Hash, Kdf, LocalSigner, Mac, MacTag, SignatureVerifier, Signer};
pub use provider::{Ability, Provider, RsaSize};
pub use rsa::RsaFault;
