//! The whole way, from a token to the issuer's socket, before an issuer that does whatever it likes.
#![cfg(test)]

#[path = "main/good.rs"]
mod good;
#[path = "main/hostile.rs"]
mod hostile;
#[path = "main/issuer.rs"]
mod issuer;
#[path = "main/tls.rs"]
mod tls;
