#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod builder;
mod error;
mod kept_sessions;
mod security;
mod upkeep;

#[cfg(feature = "argon2-simd")]
pub use bartizan_argon2_simd as argon2_simd;
pub use bartizan_audit as audit;
pub use bartizan_audit_events as audit_events;
#[cfg(feature = "compat-jsonwebtoken")]
pub use bartizan_compat_jsonwebtoken as compat_jsonwebtoken;
pub use bartizan_core as core;
pub use bartizan_crypto as crypto;
#[cfg(feature = "aws-lc")]
pub use bartizan_crypto_aws_lc as crypto_aws_lc;
pub use bartizan_crypto_ring as crypto_ring;
#[cfg(feature = "egress")]
pub use bartizan_egress as egress;
pub use bartizan_envelope as envelope;
pub use bartizan_field_crypto as field_crypto;
pub use bartizan_http as http;
#[cfg(feature = "jwks-http")]
pub use bartizan_jwks_http as jwks_http;
pub use bartizan_passwords as passwords;
pub use bartizan_rate_limit as rate_limit;
pub use bartizan_rbac as rbac;
pub use bartizan_sessions as sessions;
pub use bartizan_tokens as tokens;

pub use builder::{AccessTokens, Builder};
pub use error::{Error, ErrorKind};
pub use kept_sessions::KeptSessions;
pub use security::Security;
pub use upkeep::Upkeep;
