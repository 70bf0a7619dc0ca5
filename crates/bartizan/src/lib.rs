#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod builder;
mod error;
mod security;

pub use bartizan_audit as audit;
pub use bartizan_audit_events as audit_events;
pub use bartizan_core as core;
pub use bartizan_crypto as crypto;
pub use bartizan_crypto_ring as crypto_ring;
pub use bartizan_envelope as envelope;
pub use bartizan_field_crypto as field_crypto;
pub use bartizan_http as http;
pub use bartizan_passwords as passwords;
pub use bartizan_rbac as rbac;
pub use bartizan_tokens as tokens;

pub use builder::{AccessTokens, Builder};
pub use error::{Error, ErrorKind};
pub use security::Security;
