#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod access_token;
mod algorithm;
mod base64url;
mod claims;
mod compact;
mod error;
mod header;
mod issuer;
mod jwk;
pub mod jws;
mod key_file;
mod key_set;
mod limits;
mod names;
pub mod parse;
mod pem;
mod signing_key;
mod strict;
mod text;
mod validate;
mod verified;
mod verifier;
mod verifying_key;

pub use access_token::AccessToken;
pub use algorithm::Algorithm;
pub use error::{Error, ErrorKind};
pub use issuer::Issuer;
pub use key_set::{KeySet, SkipReason, SkippedKey};
pub use limits::Limits;
pub use signing_key::SigningKey;
pub use verified::Verified;
pub use verifier::Verifier;
pub use verifying_key::VerifyingKey;
