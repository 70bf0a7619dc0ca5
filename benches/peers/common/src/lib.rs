//! What the programs of `cargo xtask bench --peers` share: what the driver gives to all of them, the measuring loop, and the
//! yardsticks.
//!
//! A program prints one line a case, `BENCH <case> ns=… yardstick_ns=…`, both medians, measured in turns: a machine that slows
//! down slows both. A case that a library cannot do is a line `CANNOT <case> <why>`, and what a reader has to know of it a line
//! `NOTE <what>`.
//!
//! - `tokens`: `<algorithm>_verify` and `…_issue`; the yardstick is HMAC-SHA-256 by ring over the signed part of the HS256 token.
//! - `roles`: one request in a world of users and roles; the yardstick is that world in two hash maps and a bit a permission.

mod measure;
#[cfg(feature = "roles")]
pub mod roles;
#[cfg(feature = "tokens")]
mod tokens;

#[cfg(feature = "tokens")]
pub use tokens::{
    Claims, Family, Input, Key, LIFETIME, NewClaims, Side, Tokens, der_of, now, random_id, run,
};
