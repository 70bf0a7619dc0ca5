#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod convert;
mod decode;
mod decoding_key;
mod encode;
mod encoding_key;
mod engine;
mod error;
mod header;
mod public;
mod validate;

pub use jsonwebtoken::{Algorithm, AlgorithmFamily, Extras, Header, TokenData, Validation};

/// JWKs as jsonwebtoken has them: data, and nothing else.
///
/// # Panics
/// `Jwk::from_encoding_key`, `from_decoding_key` and `thumbprint` are jsonwebtoken's own, ask its process-global provider,
/// and panic where a program has enabled none of its backends. Take [`convert`], [`bartizan_tokens::VerifyingKey::to_public_jwk`] and
/// [`bartizan_tokens::VerifyingKey::thumbprint`].
pub mod jwk {
    pub use jsonwebtoken::jwk::*;
}

/// Errors under the names of jsonwebtoken.
pub mod errors {
    pub use jsonwebtoken::errors::ErrorKind;

    pub use crate::error::{Error, Result};
}

pub use decode::{danger_decode_header, decode};
pub use decoding_key::DecodingKey;
pub use encode::encode;
pub use encoding_key::EncodingKey;
pub use engine::Engine;

/// Its examples are tests of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/howto/from-jsonwebtoken.md")]
struct FromJsonwebtoken;
