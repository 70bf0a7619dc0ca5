//! Peppers: what they bind, and how they rotate.

use bartizan_core::{Fault, SecretBytes};
use bartizan_passwords::{ErrorKind, Params, PasswordHash, Passwords, Pepper, Peppers, Verification};

use crate::{legacy::BCRYPT, passwords, secret, weak};

const MATCH: Verification = Verification::Match { needs_rehash: false };
const REHASH: Verification = Verification::Match { needs_rehash: true };

fn pepper(id: &str, byte: u8) -> Pepper {
    Pepper::new(id.as_bytes(), SecretBytes::new(vec![byte; 32])).unwrap()
}

fn with(peppers: Peppers) -> Passwords {
    passwords(weak()).with_peppers(peppers).unwrap()
}

#[test]
fn a_peppered_hash_names_its_pepper_and_needs_it() {
    let passwords = with(Peppers::new(pepper("2026", 1)));
    let stored = passwords.hash(&secret("right")).unwrap();
    let phc = stored.to_phc();
    // `2026` in base64.
    assert!(phc.starts_with("$argon2id$v=19$m=64,t=1,p=1,keyid=MjAyNg$"), "{phc}");
    let stored = PasswordHash::parse(&phc).unwrap();
    assert_eq!((stored.key_id(), stored.to_phc()), (Some(&b"2026"[..]), phc));
    assert_eq!(passwords.verify(&secret("right"), Some(&stored)).unwrap(), MATCH);
    assert_eq!(passwords.verify(&secret("wrong"), Some(&stored)).unwrap(), Verification::Mismatch);
    // Another key of the same id is not it.
    let other = with(Peppers::new(pepper("2026", 2)));
    assert_eq!(other.verify(&secret("right"), Some(&stored)).unwrap(), Verification::Mismatch);
}

#[test]
fn without_its_key_id_a_peppered_hash_does_not_match() {
    let passwords = with(Peppers::new(pepper("2026", 1)));
    let phc = passwords.hash(&secret("right")).unwrap().to_phc();
    let stripped = PasswordHash::parse(&phc.replace(",keyid=MjAyNg", "")).unwrap();
    assert_eq!(passwords.verify(&secret("right"), Some(&stripped)).unwrap(), Verification::Mismatch);
}

#[test]
fn an_unknown_pepper_is_an_outage_and_no_mismatch() {
    let stored = with(Peppers::new(pepper("2026", 1))).hash(&secret("right")).unwrap();
    for passwords in [passwords(weak()), with(Peppers::new(pepper("2027", 1)))] {
        for password in ["right", "wrong"] {
            let error = passwords.verify(&secret(password), Some(&stored)).unwrap_err();
            assert_eq!((error.kind(), error.fault()), (ErrorKind::UnknownPepper, Fault::Backend));
        }
        assert_eq!(passwords.blocks_computed(), 0);
    }
    // Wrapped as well.
    let wrapped = with(Peppers::new(pepper("2026", 1)))
        .wrap_legacy(&PasswordHash::parse(BCRYPT).unwrap())
        .unwrap()
        .unwrap();
    assert_eq!(wrapped.key_id(), Some(&b"2026"[..]));
    let error = passwords(weak()).verify(&secret("password"), Some(&wrapped)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownPepper);
    let same = with(Peppers::new(pepper("2026", 1)));
    assert_eq!(same.verify(&secret("password"), Some(&wrapped)).unwrap(), REHASH);
}

#[test]
fn row_35_a_pepper_rotates_login_by_login_and_without_a_gap() {
    let password = secret("right");
    let plain = passwords(weak()).hash(&password).unwrap();
    let old = with(Peppers::new(pepper("1", 1)));
    // Switching peppers on: hashes without one verify, and are made again.
    assert_eq!(old.verify(&password, Some(&plain)).unwrap(), REHASH);
    let under_old = old.hash(&password).unwrap();
    assert_eq!(old.verify(&password, Some(&under_old)).unwrap(), MATCH);

    // First step: every instance knows the new one, and nobody makes hashes with it.
    let knows = with(Peppers::new(pepper("1", 1)).newer(pepper("2", 2)));
    // Second step: instance by instance, the new one is active.
    let new = with(Peppers::new(pepper("2", 2)).older(pepper("1", 1)));
    assert_eq!(new.verify(&password, Some(&under_old)).unwrap(), REHASH);
    assert_eq!(new.verify(&secret("wrong"), Some(&under_old)).unwrap(), Verification::Mismatch);
    let under_new = new.hash(&password).unwrap();
    assert_eq!(under_new.key_id(), Some(&b"2"[..]));
    // No circle: an instance that is a step behind leaves the newer hash alone.
    assert_eq!(knows.verify(&password, Some(&under_new)).unwrap(), MATCH);
    assert_eq!(knows.verify(&password, Some(&under_old)).unwrap(), MATCH);
    assert_eq!(new.verify(&password, Some(&under_new)).unwrap(), MATCH);

    // Last step: the old one is gone, and what was never made again cannot be verified: 503, and nobody is let in.
    let last = with(Peppers::new(pepper("2", 2)));
    assert_eq!(last.verify(&password, Some(&under_new)).unwrap(), MATCH);
    assert_eq!(last.verify(&password, Some(&under_old)).unwrap_err().kind(), ErrorKind::UnknownPepper);
}

#[test]
fn row_33_an_older_pepper_is_no_reason_to_lower_the_work() {
    let strong = Params::danger_weak(128, 2, 1).unwrap();
    let stored =
        passwords(strong).with_peppers(Peppers::new(pepper("1", 1))).unwrap().hash(&secret("right")).unwrap();
    let rotated = || Peppers::new(pepper("2", 2)).older(pepper("1", 1));
    assert!(!with(rotated()).needs_rehash(&stored));
    assert!(passwords(strong).with_peppers(rotated()).unwrap().needs_rehash(&stored));
}

#[test]
fn an_unknown_user_costs_the_same_with_a_pepper() {
    let passwords = with(Peppers::new(pepper("1", 1)));
    let stored = passwords.hash(&secret("right")).unwrap();
    let work = |stored| {
        let before = passwords.blocks_computed();
        assert_eq!(passwords.verify(&secret("wrong"), stored).unwrap(), Verification::Mismatch);
        passwords.blocks_computed() - before
    };
    assert_eq!(work(None), work(Some(&stored)));
}

#[test]
fn peppers_have_an_id_and_a_key_of_their_own() {
    let new = |id: &[u8], length| Pepper::new(id, SecretBytes::new(vec![1; length]));
    assert!(new(b"1", 32).is_ok() && new(b"12345678", 1_024).is_ok());
    for (id, length) in [(&b""[..], 32), (b"123456789", 32), (b"1", 31), (b"1", 0), (b"1", 1_025)] {
        let error = new(id, length).unwrap_err();
        assert_eq!((error.kind(), error.fault()), (ErrorKind::Pepper, Fault::Caller));
    }
    for peppers in [
        Peppers::new(pepper("1", 1)).older(pepper("1", 2)),
        Peppers::new(pepper("1", 1)).older(pepper("2", 1)),
        Peppers::new(pepper("1", 1)).newer(pepper("2", 2)).older(pepper("3", 2)),
    ] {
        assert_eq!(passwords(weak()).with_peppers(peppers).unwrap_err().kind(), ErrorKind::Pepper);
    }
}

#[test]
fn nothing_that_can_be_shown_shows_a_pepper() {
    let key = "canary-pepper-0123456789-0123456789";
    let pepper = Pepper::new(b"2026", SecretBytes::new(key.as_bytes().to_vec())).unwrap();
    let mut shown = format!("{pepper:?} {pepper:#?}");
    let peppers = Peppers::new(pepper);
    shown += &format!("{peppers:?} {peppers:#?}");
    let passwords = with(peppers);
    shown += &format!("{passwords:?} {passwords:#?}");
    assert!(shown.contains("2026") && !shown.contains("canary") && !shown.contains("99, 97"), "{shown}");
}
