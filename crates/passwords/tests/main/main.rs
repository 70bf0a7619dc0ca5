//! The public behaviour of `bartizan-passwords`.
#![cfg(test)]

mod breached;
mod budget;
mod canaries;
mod legacy;
mod pepper;
mod phc;
mod policy;
mod recovery;
mod review;
mod review_login;
mod shown;
mod totp;
mod tuning;
mod verify;
mod wrapped;

use std::sync::Arc;

use bartizan_core::SecretText;
use bartizan_passwords::{Params, PasswordHash, Passwords};
use bartizan_testkit::SeededEntropy;

/// 64 KiB and one pass: a tenth of a millisecond.
fn weak() -> Params {
    Params::danger_weak(64, 1, 1).unwrap()
}

fn passwords(params: Params) -> Passwords {
    Passwords::new(params, 64 * 1024 * 1024, Arc::new(SeededEntropy::new(7))).unwrap()
}

fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned())
}

/// A hash that no password is known for.
fn hash_with(memory_kib: u32, passes: u32, lanes: u32) -> PasswordHash {
    PasswordHash::parse(&format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${SALT}${TAG}")).unwrap()
}

/// 16 and 32 bytes of zeros.
const SALT: &str = "AAAAAAAAAAAAAAAAAAAAAA";
const TAG: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
