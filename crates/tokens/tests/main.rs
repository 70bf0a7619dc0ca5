//! What a user of this crate sees: keys, issuing, verifying, and every attack of the list that the crate is built against.
#![cfg(test)]

#[path = "main/access_tokens.rs"]
mod access_tokens;
#[path = "main/attacks/mod.rs"]
mod attacks;
#[path = "main/jwks.rs"]
mod jwks;
#[path = "main/keys.rs"]
mod keys;
#[path = "main/properties.rs"]
mod properties;
#[path = "main/review.rs"]
mod review;
#[path = "main/standards.rs"]
mod standards;
#[path = "main/support.rs"]
mod support;
