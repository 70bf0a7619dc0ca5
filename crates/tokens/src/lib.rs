#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod access_token;
mod algorithm;
mod base64url;
mod claims;
mod compact;
mod der;
mod eight;
mod error;
mod facts;
mod header;
mod id_token;
mod issuer;
mod jwk;
pub mod jws;
pub mod key_file;
mod key_ring;
mod key_rules;
mod key_set;
mod key_source;
mod known_header;
mod limits;
mod logout_token;
mod names;
mod not_a_secret;
mod own_claims;
pub mod parse;
mod remote;
mod revocations;
mod road;
mod rsa;
mod scan;
mod signing_key;
mod strict;
mod text;
mod token_cache;
mod token_shape;
mod trusted_issuer;
mod unvalidated_claims;
mod validate;
mod verified;
mod verified_id_token;
mod verifier;
mod verifying_key;

pub use access_token::AccessToken;
pub use algorithm::Algorithm;
pub use error::{Error, ErrorKind};
pub use id_token::{Asked, IdTokenVerifier};
pub use issuer::Issuer;
pub use key_ring::{Adopted, Change, Draft, Held, Jwks, KeyRing, RingKey, Stepped};
pub use key_rules::KeyRules;
pub use key_set::{KeySet, SkipReason, SkippedKey};
pub use key_source::KeySource;
pub use limits::Limits;
pub use logout_token::{LogoutTokenVerifier, VerifiedLogoutToken};
pub use remote::{
    FetchError, FetchErrorKind, FetchRequest, Fetched, Freshness, JwksDriver, JwksFetch, JwksStatus, JwksUrl,
    RefreshError, RemoteJwks, RemoteJwksBuilder, Start, retry_after,
};
pub use revocations::{Revocations, TokenId};
pub use signing_key::SigningKey;
pub use token_cache::{CacheLimits, CacheStats, TokenCache};
pub use token_shape::{Dispensable, TokenShape};
pub use trusted_issuer::TrustedIssuer;
pub use verified::Verified;
pub use verified_id_token::{Identity, VerifiedIdToken};
pub use verifier::Verifier;
pub use verifying_key::VerifyingKey;

/// Its examples are tests of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/howto/rotate-signing-keys.md")]
struct RotateSigningKeys;
