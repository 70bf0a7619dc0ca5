//! Attacks of a reviewer who read the API, and not the code.

use bartizan_passwords::{ErrorKind, MAX_PHC, Params, PasswordHash, Verification};
use proptest::prelude::*;

use crate::{SALT, TAG, hash_with, passwords, secret};

proptest! {
    /// The time of an answer tells who exists, who is old and who is new, unless the work is the same.
    #[test]
    fn every_weaker_hash_costs_the_work_of_an_unknown_user(
        memory in 8_u32..256, passes in 1_u32..8, lanes in 1_u32..4, current_passes in 1_u32..4,
    ) {
        prop_assume!(memory >= 8 * lanes);
        let current = Params::danger_weak(256, current_passes, 1).unwrap();
        let passwords = passwords(current);
        let stored = hash_with(memory, passes, lanes);
        prop_assert_eq!(passwords.verify(&secret("x"), None).unwrap(), Verification::Mismatch);
        let unknown = passwords.blocks_computed();
        prop_assert_eq!(passwords.verify(&secret("x"), Some(&stored)).unwrap(), Verification::Mismatch);
        let known = passwords.blocks_computed() - unknown;
        if stored.params().unwrap().blocks() <= current.blocks() {
            prop_assert!(unknown - known < 16, "{} and {}", unknown, known);
        }
        // Whatever is stored: hashing again never goes in a circle, and never lowers the work.
        if passwords.needs_rehash(&stored) {
            prop_assert!(stored.params().unwrap().blocks() <= current.blocks());
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic_or_accept_another_form(text in "[$=,a-z0-9A-Z+/. -]{0,120}") {
        if let Ok(hash) = PasswordHash::parse(&text) {
            prop_assert_eq!(hash.to_phc(), text);
        }
    }
}

#[test]
fn row_30_stored_bombs_are_refused_before_they_cost_anything() {
    let long = format!("$argon2id$v=19$m=64,t=1,p=1${SALT}${}", "A".repeat(MAX_PHC));
    for (text, kind) in [
        (format!("$argon2id$v=19$m=4194305,t=1,p=1${SALT}${TAG}"), ErrorKind::TooCostly),
        (format!("$argon2id$v=19$m=4294967295,t=1,p=1${SALT}${TAG}"), ErrorKind::TooCostly),
        (format!("$argon2id$v=19$m=64,t=4294967295,p=1${SALT}${TAG}"), ErrorKind::TooCostly),
        (format!("$argon2id$v=19$m=64,t=1,p=4294967295${SALT}${TAG}"), ErrorKind::TooCostly),
        (format!("$argon2id$v=19$m=8,t=1,p=536870913${SALT}${TAG}"), ErrorKind::TooCostly),
        (format!("$argon2id$v=19$m=64,t=0,p=1${SALT}${TAG}"), ErrorKind::Malformed),
        (format!("$argon2id$v=19$m=64,t=1,p=0${SALT}${TAG}"), ErrorKind::Malformed),
        (format!("$argon2id$v=19$m=42949672960,t=1,p=1${SALT}${TAG}"), ErrorKind::Malformed),
        (format!("$argon2i$v=19$m=64,t=1,p=1${SALT}${TAG}"), ErrorKind::Malformed),
        (format!("$argon2id$v=16$m=64,t=1,p=1${SALT}${TAG}"), ErrorKind::Malformed),
        (format!("$argon2id$v=19$m=64,t=1,p=1,data=AAAA${SALT}${TAG}"), ErrorKind::Malformed),
        (format!("$argon2id$v=19$m=64,t=1,p=1${SALT}${TAG}\n"), ErrorKind::Malformed),
        (format!("$argon2id$v=19$m=64,t=1,p=1${SALT}${TAG}\0"), ErrorKind::Malformed),
        (format!("$argon2id$v=19$m=64,t=1,p=1${SALT}$"), ErrorKind::Malformed),
        (long, ErrorKind::Malformed),
    ] {
        assert_eq!(PasswordHash::parse(&text).unwrap_err().kind(), kind, "{text}");
    }
    // Within the bounds of the form and above what this service accepts: no block is computed.
    let passwords = passwords(Params::danger_weak(64, 1, 1).unwrap());
    for stored in [hash_with(4_194_304, 1, 1), hash_with(64, 64, 1), hash_with(512, 1, 64)] {
        let error = passwords.verify(&secret("x"), Some(&stored)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooCostly);
    }
    assert_eq!(passwords.blocks_computed(), 0);
}
