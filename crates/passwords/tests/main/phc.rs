//! The stored form.

use bartizan_core::Fault;
use bartizan_passwords::{ErrorKind, MAX_PHC, PasswordHash, Verification};
use proptest::prelude::*;

use crate::{SALT, TAG, passwords, secret, weak};

const ELSEWHERE: &str = include_str!("../vectors/argon2-cffi/hashes.tsv");

fn kind(text: &str) -> Option<ErrorKind> {
    PasswordHash::parse(text).err().map(|error| error.kind())
}

fn from_hex(text: &str) -> String {
    let bytes = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap());
    String::from_utf8(bytes.collect()).unwrap()
}

#[test]
fn hashes_of_the_reference_implementation_verify() {
    let passwords = passwords(weak());
    let mut lines = 0;
    for line in ELSEWHERE.lines() {
        let [name, password, phc] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let (password, stored) = (from_hex(password), PasswordHash::parse(phc).unwrap());
        assert_eq!(stored.to_phc(), phc, "{name}");
        let right = passwords.verify(&secret(&password), Some(&stored)).unwrap();
        assert!(matches!(right, Verification::Match { .. }), "{name}");
        let wrong = passwords.verify(&secret(&password[1..]), Some(&stored)).unwrap();
        assert_eq!(wrong, Verification::Mismatch, "{name}");
        lines += 1;
    }
    assert_eq!(lines, 7);
}

#[test]
fn what_is_not_exactly_of_the_form_is_malformed() {
    let good = format!("$argon2id$v=19$m=64,t=1,p=1${SALT}${TAG}");
    assert_eq!(kind(&good), None);
    for bad in [
        String::new(),
        good.replace("argon2id", "argon2i"),
        good.replace("argon2id", "argon2d"),
        good.replace("argon2id", "ARGON2ID"),
        good.replace("v=19", "v=16"),
        good.replace("$v=19", ""),
        good.replace("v=19", "v=019"),
        good.replace("m=64,t=1,p=1", "t=1,m=64,p=1"),
        good.replace("m=64,t=1,p=1", "m=64,t=1"),
        good.replace("p=1", "p=1,keyid="),
        good.replace("p=1", "p=1,keyid=AAAAAAAAAAAA"),
        good.replace("p=1", "p=1,keyid=AB"),
        good.replace("p=1", "p=1,keyid=AA=="),
        good.replace("p=1", "p=1,keyid=AAAA,keyid=AAAA"),
        good.replace("m=64", "keyid=AAAA,m=64"),
        good.replace("p=1", "p=1,data=AAAA"),
        good.replace("m=64", "m=064"),
        good.replace("m=64", "m=+64"),
        good.replace("m=64", "m=-64"),
        good.replace("m=64", "m= 64"),
        good.replace("m=64", "m=0"),
        good.replace("m=64", "m="),
        good.replace("m=64", "m=4294967296"),
        good.replace("m=64", "m=６４"),
        good.replace(SALT, ""),
        good.replace(SALT, "AAAAAAAAAA"),
        good.replace(SALT, &"A".repeat(87)),
        good.replace(SALT, "AAAAAAAAAAAAAAAAAAAAAA=="),
        good.replace(SALT, "AAAAAAAAAAAAAAAAAAAAAB"),
        good.replace(SALT, "AAAAAAAAAAAAAAAAAAAAA-"),
        good.replace(TAG, ""),
        good.replace(TAG, "AAAAAAAAAAAAAAAAAAAA"),
        good.replace(TAG, &"A".repeat(87)),
        good.clone() + "$",
        good.clone() + "\n",
        good.clone() + "\0",
        " ".to_owned() + &good,
        good.trim_start_matches('$').to_owned(),
    ] {
        assert_eq!(kind(&bad), Some(ErrorKind::Malformed), "{bad}");
    }
}

#[test]
fn a_stored_form_of_513_bytes_is_refused() {
    for length in [MAX_PHC + 1, 1_000_000] {
        let long = format!("$argon2id$v=19$m=64,t=1,p=1${SALT}$").to_owned() + &"A".repeat(length);
        let error = PasswordHash::parse(&long[..length]).unwrap_err();
        assert_eq!((error.kind(), error.fault()), (ErrorKind::Malformed, Fault::Integrity));
    }
}

#[test]
fn parameters_beyond_every_bound_are_refused_while_reading() {
    let form = |params: &str| format!("$argon2id$v=19${params}${SALT}${TAG}");
    for params in [
        "m=4194305,t=1,p=1",
        "m=64,t=65,p=1",
        "m=4194304,t=1,p=65",
        "m=64,t=1,p=16777216",
        "m=15,t=1,p=2",
        "m=7,t=1,p=1",
    ] {
        assert_eq!(kind(&form(params)), Some(ErrorKind::TooCostly), "{params}");
    }
    for params in ["m=4194304,t=64,p=64", "m=16,t=1,p=2", "m=8,t=1,p=1"] {
        assert_eq!(kind(&form(params)), None, "{params}");
    }
}

#[test]
fn what_is_hashed_here_is_of_the_form() {
    let hash = passwords(weak()).hash(&secret("secret")).unwrap();
    let phc = hash.to_phc();
    assert!(phc.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{phc}");
    assert_eq!(PasswordHash::parse(&phc).unwrap().to_phc(), phc);
}

proptest! {
    #[test]
    fn one_hash_has_one_text(text in "\\PC{0,80}|\\$argon2id\\$v=19\\$m=[0-9]{1,4},t=[0-9]{1,2},p=[0-9]\\$[A-Za-z0-9+/]{10,24}\\$[A-Za-z0-9+/]{20,44}") {
        if let Ok(hash) = PasswordHash::parse(&text) {
            prop_assert_eq!(hash.to_phc(), text);
        }
    }

    #[test]
    fn one_changed_byte_is_another_hash_or_none(at in 0_usize..95, byte in 0_u8..128) {
        let good = format!("$argon2id$v=19$m=64,t=1,p=1${SALT}${TAG}");
        let mut bytes = good.clone().into_bytes();
        let length = bytes.len();
        bytes[at % length] = byte;
        let changed = String::from_utf8(bytes).unwrap();
        if let Ok(hash) = PasswordHash::parse(&changed) {
            prop_assert_eq!(hash.to_phc(), changed);
        }
    }
}
