//! What a user of this crate sees: keys, issuing, verifying, and every attack of the list that the crate is built against.
#![cfg(test)]

#[path = "main/access_tokens.rs"]
mod access_tokens;
#[path = "main/allocations.rs"]
mod allocations;
#[path = "main/attacks/mod.rs"]
mod attacks;
#[path = "main/id_tokens.rs"]
mod id_tokens;
#[path = "main/issuers.rs"]
mod issuers;
#[path = "main/jwks.rs"]
mod jwks;
#[path = "main/key_files.rs"]
mod key_files;
#[path = "main/key_generation.rs"]
mod key_generation;
#[path = "main/key_ring.rs"]
mod key_ring;
#[path = "main/key_ring_documents.rs"]
mod key_ring_documents;
#[path = "main/keys.rs"]
mod keys;
#[path = "main/own_headers.rs"]
mod own_headers;
#[path = "main/properties.rs"]
mod properties;
#[path = "main/provider.rs"]
mod provider;
#[path = "main/remote.rs"]
mod remote;
#[path = "main/review.rs"]
mod review;
#[path = "main/review_tokens.rs"]
mod review_tokens;
#[path = "main/rsa_keys.rs"]
mod rsa_keys;
#[path = "main/shapes.rs"]
mod shapes;
#[path = "main/standards.rs"]
mod standards;
#[path = "main/support.rs"]
mod support;
#[path = "main/token_cache.rs"]
mod token_cache;
// Where freed memory stays as it was but for the links of the free list.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[path = "main/wiping.rs"]
mod wiping;
