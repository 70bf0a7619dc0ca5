//! Argon2id around another system's hash, for a whole table at once.

use std::sync::Arc;

use bartizan_passwords::{ErrorKind, MAX_PHC, Params, PasswordHash, Passwords, Scheme, Verification};
use bartizan_testkit::{BrokenEntropy, SeededEntropy};
use proptest::prelude::*;

use crate::{
    SALT, TAG,
    legacy::{self, BCRYPT, PBKDF2},
    passwords, secret, weak,
};

const REHASH: Verification = Verification::Match { needs_rehash: true };

#[test]
fn every_scheme_is_wrapped_once_and_verifies() {
    let passwords = legacy::roomy();
    let mut schemes = Vec::new();
    for (name, password, text) in legacy::all() {
        let stored = PasswordHash::parse(text).unwrap();
        let Some(wrapped) = passwords.wrap_legacy(&stored).unwrap() else {
            assert_eq!(stored.scheme(), Scheme::Argon2id, "{name}");
            continue;
        };
        // Nothing of the old digest is left in it.
        let text = wrapped.to_phc();
        assert!(text.len() <= MAX_PHC, "{name}");
        let wrapped = PasswordHash::parse(&text).unwrap();
        assert_eq!(wrapped.to_phc(), text, "{name}");
        assert!(wrapped.is_wrapped() && wrapped.scheme() == stored.scheme(), "{name}");
        assert_eq!(wrapped.params(), Some(weak()), "{name}");
        assert!(passwords.wrap_legacy(&wrapped).unwrap().is_none(), "{name}");
        // Those of Spring's default costs take a second each without optimisation: one of each scheme is enough.
        if !schemes.contains(&(stored.scheme(), password.clone())) && !name.contains("5.8") {
            let is_cut = stored.scheme() == Scheme::Bcrypt && password.len() > 72 || password.is_empty();
            let found = passwords.verify(&secret(&password), Some(&wrapped)).unwrap();
            assert_eq!(found, if is_cut { Verification::Mismatch } else { REHASH }, "{name}");
            let wrong = passwords.verify(&secret(&format!("{password}?")), Some(&wrapped)).unwrap();
            assert_eq!(wrong, Verification::Mismatch, "{name}");
            schemes.push((stored.scheme(), password));
        }
    }
    for scheme in [
        Scheme::Bcrypt,
        Scheme::BcryptSha256,
        Scheme::Scrypt,
        Scheme::Pbkdf2Sha1,
        Scheme::Pbkdf2Sha256,
        Scheme::Pbkdf2Sha512,
    ] {
        assert!(schemes.iter().any(|(seen, _)| *seen == scheme), "{scheme:?}");
    }
}

#[test]
fn the_old_digest_is_gone_and_is_no_password() {
    let passwords = passwords(weak());
    let wrapped = passwords.wrap_legacy(&PasswordHash::parse(PBKDF2).unwrap()).unwrap().unwrap();
    let digest = PBKDF2.rsplit('$').next().unwrap();
    assert!(!wrapped.to_phc().contains(&digest[..20]));
    for wrong in [digest, PBKDF2] {
        assert_eq!(passwords.verify(&secret(wrong), Some(&wrapped)).unwrap(), Verification::Mismatch);
    }
}

#[test]
fn the_form_names_the_inner_scheme_its_costs_and_its_salt() {
    let passwords = passwords(weak());
    let text =
        |text: &str| passwords.wrap_legacy(&PasswordHash::parse(text).unwrap()).unwrap().unwrap().to_phc();
    let tail = "$argon2id$v=19$m=64,t=1,p=1$";
    assert!(
        text(PBKDF2)
            .starts_with(&format!("$wrapped$pbkdf2-sha256$i=1000,l=32$c2Vhc2FsdDAwMDAwMDAwMDAwMDAwMA{tail}"))
    );
    assert!(text(BCRYPT).starts_with("$wrapped$bcrypt$c=5$"));
    assert!(text(&format!("bcrypt_sha256${BCRYPT}")).starts_with("$wrapped$bcrypt-sha256$c=5$"));
    let scrypt = text(&format!("$scrypt$ln=4,r=8,p=1${SALT}${SALT}"));
    assert!(scrypt.starts_with(&format!("$wrapped$scrypt$ln=4,r=8,p=1,l=16${SALT}{tail}")), "{scrypt}");
}

#[test]
fn what_is_not_exactly_of_the_form_is_refused() {
    let outer = format!("argon2id$v=19$m=64,t=1,p=1${SALT}${TAG}");
    let kind = |inner: &str, outer: &str| {
        PasswordHash::parse(&format!("$wrapped${inner}${outer}")).err().map(|error| error.kind())
    };
    assert_eq!(kind(&format!("scrypt$ln=4,r=8,p=1,l=16${SALT}"), &outer), None);
    for inner in [
        String::new(),
        format!("scrypt$ln=4,r=8,p=1${SALT}"),
        format!("scrypt$r=8,ln=4,p=1,l=16${SALT}"),
        format!("scrypt$ln=4,r=8,p=1,l=16,x=1${SALT}"),
        format!("scrypt$ln=04,r=8,p=1,l=16${SALT}"),
        format!("scrypt$ln=4,r=8,p=1,l=16${SALT}=="),
        "scrypt$ln=4,r=8,p=1,l=16$".to_owned(),
        format!("scrypt$ln=4,r=8,p=1,l=15${SALT}"),
        format!("scrypt$ln=4,r=8,p=1,l=65${SALT}"),
        format!("bcrypt$c=3${SALT}"),
        format!("bcrypt$c=5,l=23${SALT}"),
        "bcrypt$c=5$AAAA".to_owned(),
        format!("md5$c=5${SALT}"),
        format!("wrapped$scrypt$ln=4,r=8,p=1,l=16${SALT}"),
    ] {
        assert_eq!(kind(&inner, &outer), Some(ErrorKind::Malformed), "{inner}");
    }
    let inner = format!("scrypt$ln=4,r=8,p=1,l=16${SALT}");
    for outer in ["", "argon2id", &outer.replace("id", "i"), &format!("{outer}-"), &format!("{outer}$")] {
        assert_eq!(kind(&inner, outer), Some(ErrorKind::Malformed), "{outer}");
    }
    assert_eq!(kind(&format!("bcrypt$c=17${SALT}"), &outer), Some(ErrorKind::TooCostly));
    assert_eq!(kind(&inner, &outer.replace("m=64", "m=4194305")), Some(ErrorKind::TooCostly));
}

#[test]
fn row_30_the_memory_of_scrypt_counts_against_budget_and_ceiling() {
    // 1 MiB of scrypt, 64 KiB of Argon2id.
    let scrypt = PasswordHash::parse(&format!("$scrypt$ln=10,r=8,p=1${SALT}${SALT}")).unwrap();
    let with = |budget| Passwords::new(weak(), budget, Arc::new(SeededEntropy::new(1))).unwrap();
    let kind =
        |passwords: &Passwords| passwords.verify(&secret("x"), Some(&scrypt)).err().map(|error| error.kind());
    let needed = (1 << 20) + 2 * 1_024 + 64 * 1_024;
    assert_eq!(kind(&with(needed)), None);
    assert_eq!(kind(&with(needed - 1)), Some(ErrorKind::TooCostly));
    assert_eq!(with(needed - 1).wrap_legacy(&scrypt).unwrap_err().kind(), ErrorKind::TooCostly);
    // The ceiling of a stored hash is one of memory, whatever it is for.
    let most = Params::danger_weak(1_024, 1, 1).unwrap();
    let low = with(64 << 20).accepting_at_most(most).unwrap();
    assert_eq!(kind(&low), Some(ErrorKind::TooCostly));
    assert_eq!(low.blocks_computed(), 0);
    let enough = with(64 << 20).accepting_at_most(Params::danger_weak(1_026, 1, 1).unwrap()).unwrap();
    assert_eq!(kind(&enough), None);
}

#[test]
fn row_30_a_crowd_with_scrypt_hashes_gets_its_answer_or_busy() {
    let scrypt = PasswordHash::parse(&format!("$scrypt$ln=10,r=8,p=1${SALT}${SALT}")).unwrap();
    // Room for two.
    let passwords = Passwords::new(weak(), 5 << 19, Arc::new(SeededEntropy::new(1))).unwrap();
    let barrier = std::sync::Barrier::new(64);
    let served = std::thread::scope(|scope| {
        let crowd: Vec<_> = (0..64)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    match passwords.verify(&secret("x"), Some(&scrypt)) {
                        Ok(found) => {
                            assert_eq!(found, Verification::Mismatch);
                            true
                        }
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::Busy);
                            false
                        }
                    }
                })
            })
            .collect();
        crowd.into_iter().filter(|_| true).map(|one| one.join().unwrap()).filter(|served| *served).count()
    });
    assert!(served >= 1);
    assert!(passwords.verify(&secret("x"), Some(&scrypt)).is_ok());
}

#[test]
fn nothing_is_wrapped_without_entropy() {
    let stored = PasswordHash::parse(BCRYPT).unwrap();
    assert!(Passwords::new(weak(), 1 << 20, Arc::new(BrokenEntropy)).is_err());
    // Two wrappings of one hash have two salts.
    let passwords = passwords(weak());
    let wrap = || passwords.wrap_legacy(&stored).unwrap().unwrap().to_phc();
    assert_ne!(wrap(), wrap());
}

proptest! {
    #[test]
    fn one_wrapped_hash_has_one_text(at in 0_usize..200, byte in 0_u8..128) {
        let good = format!("$wrapped$scrypt$ln=4,r=8,p=1,l=16${SALT}$argon2id$v=19$m=64,t=1,p=1${SALT}${TAG}");
        let mut bytes = good.into_bytes();
        let length = bytes.len();
        bytes[at % length] = byte;
        let changed = String::from_utf8(bytes).unwrap();
        if let Ok(hash) = PasswordHash::parse(&changed) {
            prop_assert_eq!(hash.to_phc(), changed);
        }
    }
}
