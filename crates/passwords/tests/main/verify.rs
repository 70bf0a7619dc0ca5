//! Hash and verify: the answer, the work, and when to hash again.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bartizan_core::Fault;
use bartizan_passwords::{ErrorKind, MAX_PASSWORD, Params, PasswordHash, Passwords, Verification};
use bartizan_testkit::{BrokenEntropy, SeededEntropy};
use proptest::prelude::*;

use crate::{SALT, TAG, hash_with, passwords, secret, weak};

const MATCH: Verification = Verification::Match { needs_rehash: false };

#[test]
fn the_password_matches_and_any_other_does_not() {
    let passwords = passwords(weak());
    let stored = passwords.hash(&secret("correct horse")).unwrap();
    assert_eq!(passwords.verify(&secret("correct horse"), Some(&stored)).unwrap(), MATCH);
    for other in ["correct hors", "correct horse ", " correct horse", "Correct horse", "correct\0horse", ""] {
        assert_eq!(
            passwords.verify(&secret(other), Some(&stored)).unwrap(),
            Verification::Mismatch,
            "{other}"
        );
    }
}

#[test]
fn nobody_matches_without_a_stored_hash() {
    let passwords = passwords(weak());
    for password in ["", "x", "correct horse"] {
        assert_eq!(passwords.verify(&secret(password), None).unwrap(), Verification::Mismatch);
    }
}

#[test]
fn every_hash_has_its_own_salt() {
    let passwords = passwords(weak());
    let (one, two) = (passwords.hash(&secret("same")).unwrap(), passwords.hash(&secret("same")).unwrap());
    let salt = |hash: &PasswordHash| hash.to_phc().split('$').nth(4).unwrap().to_owned();
    assert_ne!(salt(&one), salt(&two));
    assert_ne!(one.to_phc().split('$').next_back(), two.to_phc().split('$').next_back());
}

#[test]
fn no_hash_without_entropy_and_no_start_without_it() {
    let error = Passwords::new(weak(), 1 << 20, Arc::new(BrokenEntropy)).unwrap_err();
    assert_eq!((error.kind(), error.fault()), (ErrorKind::Entropy, Fault::Backend));
}

#[test]
fn asvs_6_2_8_every_byte_counts_and_no_case_is_folded() {
    let passwords = passwords(weak());
    let long = "k".repeat(200);
    let stored = passwords.hash(&secret(&long)).unwrap();
    for at in [0, 71, 72, 73, 127, 128, 199] {
        let mut other = long.clone();
        other.replace_range(at..=at, "K");
        assert_eq!(
            passwords.verify(&secret(&other), Some(&stored)).unwrap(),
            Verification::Mismatch,
            "byte {at}"
        );
    }
    // Prefixes that older schemes cut to: 72 bytes, and everything after a NUL.
    assert_eq!(passwords.verify(&secret(&long[..72]), Some(&stored)).unwrap(), Verification::Mismatch);
    let with_nul = passwords.hash(&secret("a\0b")).unwrap();
    assert_eq!(passwords.verify(&secret("a\0c"), Some(&with_nul)).unwrap(), Verification::Mismatch);
    assert_eq!(passwords.verify(&secret("a\0b"), Some(&with_nul)).unwrap(), MATCH);
}

#[test]
fn asvs_6_2_9_passwords_of_64_to_1024_bytes_are_accepted_and_no_longer() {
    let passwords = passwords(weak());
    for length in [64, 128, MAX_PASSWORD] {
        let password = "p".repeat(length);
        let stored = passwords.hash(&secret(&password)).unwrap();
        assert_eq!(passwords.verify(&secret(&password), Some(&stored)).unwrap(), MATCH, "{length}");
    }
    let stored = hash_with(64, 1, 1);
    for length in [MAX_PASSWORD + 1, 1_000_000] {
        let password = secret(&"p".repeat(length));
        let before = passwords.blocks_computed();
        let errors = [
            passwords.hash(&password).unwrap_err(),
            passwords.verify(&password, Some(&stored)).unwrap_err(),
            passwords.verify(&password, None).unwrap_err(),
        ];
        assert!(
            errors.iter().all(|error| error.kind() == ErrorKind::TooLong && error.fault() == Fault::Peer)
        );
        assert_eq!(passwords.blocks_computed(), before, "no work for what is refused");
    }
}

#[test]
fn asvs_6_2_5_no_composition_is_asked_for() {
    let passwords = passwords(weak());
    for password in
        ["aaaaaaaaaaaaaaa", "111111111111111", "               ", "密码密码密码密码", "🔑🔑🔑🔑🔑🔑🔑🔑"]
    {
        let stored = passwords.hash(&secret(password)).unwrap();
        assert_eq!(passwords.verify(&secret(password), Some(&stored)).unwrap(), MATCH, "{password}");
    }
}

#[test]
fn an_empty_password_is_not_hashed() {
    let error = passwords(weak()).hash(&secret("")).unwrap_err();
    assert_eq!((error.kind(), error.fault()), (ErrorKind::Empty, Fault::Peer));
}

#[test]
fn row_34_two_spellings_of_one_letter_are_one_password() {
    let passwords = passwords(weak());
    for (composed, decomposed) in
        [("caf\u{e9}", "cafe\u{301}"), ("\u{1e69}", "s\u{323}\u{307}"), ("한", "\u{1112}\u{1161}\u{11ab}")]
    {
        let stored = passwords.hash(&secret(composed)).unwrap();
        assert_eq!(passwords.verify(&secret(decomposed), Some(&stored)).unwrap(), MATCH, "{composed}");
        let stored = passwords.hash(&secret(decomposed)).unwrap();
        assert_eq!(passwords.verify(&secret(composed), Some(&stored)).unwrap(), MATCH, "{composed}");
    }
    // Compatible letters are other letters: the ligature is not its two letters, full-width is not ASCII.
    for (one, other) in [("\u{fb01}", "fi"), ("\u{ff41}", "a"), ("\u{212b}x", "Åx")] {
        let stored = passwords.hash(&secret(one)).unwrap();
        let verification = passwords.verify(&secret(other), Some(&stored)).unwrap();
        // U+212B ANGSTROM SIGN is canonically U+00C5: the same password.
        assert_eq!(verification == MATCH, other == "Åx", "{one}");
    }
}

#[test]
fn the_limit_is_measured_after_normalisation() {
    let passwords = passwords(weak());
    // 341 Hangul syllables: 3,069 bytes as typed in jamo, 1,023 in Form C.
    let jamo = "\u{1112}\u{1161}\u{11ab}".repeat(341);
    let stored = passwords.hash(&secret(&jamo)).unwrap();
    assert_eq!(passwords.verify(&secret(&"한".repeat(341)), Some(&stored)).unwrap(), MATCH);
    assert_eq!(passwords.hash(&secret(&"한".repeat(342))).unwrap_err().kind(), ErrorKind::TooLong);
    // U+1D160 has four bytes and becomes three code points of twelve.
    let growing = "\u{1d160}".repeat(86);
    assert_eq!(growing.len(), 344);
    assert_eq!(passwords.hash(&secret(&growing)).unwrap_err().kind(), ErrorKind::TooLong);
}

#[test]
fn asvs_6_3_8_unknown_wrong_and_weak_cost_the_same_work() {
    let passwords = passwords(Params::danger_weak(256, 3, 1).unwrap());
    let work = |password: &str, stored: Option<&PasswordHash>| {
        let before = passwords.blocks_computed();
        let _ = passwords.verify(&secret(password), stored).unwrap();
        passwords.blocks_computed() - before
    };
    let known = passwords.hash(&secret("right")).unwrap();
    assert_eq!(work("right", Some(&known)), 768);
    assert_eq!(work("wrong", Some(&known)), 768);
    assert_eq!(work("right", None), 768);
    // Hashes from times when less was asked for: the missing blocks are computed too, up to their rounding to four.
    for (memory_kib, passes, lanes) in [(64, 1, 1), (256, 1, 1), (128, 3, 2), (8, 1, 1), (255, 3, 1)] {
        let weak = hash_with(memory_kib, passes, lanes);
        let blocks = work("right", Some(&weak));
        assert!((768 - 12..=768).contains(&blocks), "m={memory_kib},t={passes},p={lanes}: {blocks}");
    }
}

#[test]
fn row_32_an_unknown_user_takes_the_time_of_a_known_one() {
    let passwords = passwords(Params::danger_weak(1_024, 2, 1).unwrap());
    let (known, password) = (passwords.hash(&secret("right")).unwrap(), secret("wrong"));
    let (mut of_known, mut of_unknown) = (Vec::new(), Vec::new());
    for _ in 0..15 {
        of_known.push(timed(|| passwords.verify(&password, Some(&known)).unwrap()));
        of_unknown.push(timed(|| passwords.verify(&password, None).unwrap()));
    }
    // Without the dummy hash the ratio is beyond 100; the bounds leave room for a busy machine.
    let ratio = median(of_known).as_secs_f64() / median(of_unknown).as_secs_f64();
    assert!((0.33..3.0).contains(&ratio), "{ratio}");
}

#[expect(clippy::disallowed_methods, reason = "what is measured here is real time")]
fn timed(verify: impl FnOnce() -> Verification) -> Duration {
    let start = Instant::now();
    assert_eq!(verify(), Verification::Mismatch);
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[test]
fn asvs_11_4_2_parameters_have_the_current_floor_and_weaker_hashes_are_made_again() {
    for (memory_kib, passes) in [(19_455, 2), (47_103, 1), (12_288, 3), (7_168, 5), (0, 2), (19_456, 0)] {
        assert_eq!(Params::new(memory_kib, passes, 1).unwrap_err().kind(), ErrorKind::Params);
    }
    assert_eq!(Params::new(19_456, 2, 1).unwrap(), Params::OWASP);
    assert!(Params::new(47_104, 1, 1).is_ok());

    let password = secret("right");
    let old = passwords(Params::danger_weak(64, 1, 1).unwrap());
    let new = passwords(Params::danger_weak(128, 1, 1).unwrap());
    let stored = old.hash(&password).unwrap();
    assert_eq!(old.verify(&password, Some(&stored)).unwrap(), MATCH);
    assert_eq!(new.verify(&password, Some(&stored)).unwrap(), Verification::Match { needs_rehash: true });
    assert_eq!(new.verify(&secret("wrong"), Some(&stored)).unwrap(), Verification::Mismatch);
    let again = new.hash(&password).unwrap();
    assert_eq!(new.verify(&password, Some(&again)).unwrap(), MATCH);
    // A service that still has the old parameters leaves the stronger hash alone.
    assert_eq!(old.verify(&password, Some(&again)).unwrap(), MATCH);
}

#[test]
fn a_short_salt_or_tag_is_reason_to_hash_again_unless_that_lowers_the_work() {
    let passwords = passwords(Params::danger_weak(64, 2, 1).unwrap());
    let stored = |params: &str, salt: &str, tag: &str| {
        PasswordHash::parse(&format!("$argon2id$v=19${params}${salt}${tag}")).unwrap()
    };
    assert!(!passwords.needs_rehash(&stored("m=64,t=2,p=1", SALT, TAG)));
    assert!(passwords.needs_rehash(&stored("m=64,t=2,p=1", "AAAAAAAAAAA", TAG)));
    assert!(passwords.needs_rehash(&stored("m=64,t=2,p=1", SALT, SALT)));
    assert!(!passwords.needs_rehash(&stored("m=64,t=3,p=1", "AAAAAAAAAAA", SALT)));
}

proptest! {
    #[test]
    fn row_33_hashing_again_never_lowers_the_work_and_never_goes_in_a_circle(
        (m1, t1, p1) in (8_u32..64, 1_u32..8, 1_u32..4), (m2, t2, p2) in (8_u32..64, 1_u32..8, 1_u32..4),
    ) {
        let (m1, m2) = (m1 * p1, m2 * p2);
        let current = Params::danger_weak(m1, t1, p1).unwrap();
        let service = passwords(current);
        let stored = hash_with(m2, t2, p2);
        if service.needs_rehash(&stored) {
            prop_assert!(current.blocks() >= stored.params().unwrap().blocks());
            prop_assert!(!passwords(stored.params().unwrap()).needs_rehash(&hash_with(m1, t1, p1)));
        }
        prop_assert!(!service.needs_rehash(&hash_with(m1, t1, p1)));
    }

    #[test]
    fn what_is_hashed_verifies(password in "\\PC{1,60}") {
        let passwords = Passwords::new(weak(), 1 << 20, Arc::new(SeededEntropy::new(9))).unwrap();
        let stored = passwords.hash(&secret(&password)).unwrap();
        prop_assert_eq!(passwords.verify(&secret(&password), Some(&stored)).unwrap(), MATCH);
    }
}
