//! What every program of `cargo xtask bench --peers` shares: the input that the driver gives to all of them, the measuring
//! loop, and the yardstick.
//!
//! A program prints one line a case, `BENCH <algorithm>_verify ns=… yardstick_ns=…` and `…_issue`, both medians. The yardstick
//! is HMAC-SHA-256 by ring over the signed part of the HS256 token, measured in turns with the case: a machine that slows down
//! slows both. A case that a library cannot do is a line `CANNOT <case> <why>`.

mod input;
mod measure;

pub use input::{Claims, Family, Input, Key, LIFETIME, NewClaims, Tokens, der_of, now, random_id};
pub use measure::{Side, run};
