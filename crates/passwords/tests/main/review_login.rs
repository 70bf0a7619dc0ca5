//! Attacks of a second reviewer: what opens an account, what is read in two ways, what a failure leaves behind.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bartizan_passwords::{
    About, Argon2idEngine, Argon2idInput, Assessment, EngineFailed, ErrorKind, Params, PasswordHash,
    PasswordPolicy, RustCryptoArgon2id, Scheme, Verification, Violation, WorkingMemory,
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

use crate::{SALT, legacy, passwords, secret, weak};

/// Of Argon2id, as another system may have stored it.
fn argon2id(password: &str) -> PasswordHash {
    let mut tag = [0; 32];
    let input = Argon2idInput::new(weak(), password.as_bytes(), &[0; 16]);
    RustCryptoArgon2id.memory(64).unwrap().derive(&input, &mut tag).unwrap();
    PasswordHash::parse(&format!("$argon2id$v=19$m=64,t=1,p=1${SALT}${}", STANDARD_NO_PAD.encode(tag)))
        .unwrap()
}

/// Systems that kept a hash of nothing for accounts without a password had a form before them that did not let nothing through.
#[test]
fn nothing_typed_opens_no_account_whatever_is_stored() {
    let passwords = legacy::roomy();
    let mut schemes = Vec::new();
    let found = |stored: &PasswordHash| passwords.verify(&secret(""), Some(stored)).unwrap();
    for (name, _, text) in legacy::all().filter(|(_, password, _)| password.is_empty()) {
        let stored = PasswordHash::parse(text).unwrap();
        assert_eq!(found(&stored), Verification::Mismatch, "{name}");
        if let Some(wrapped) = passwords.wrap_legacy(&stored).unwrap() {
            assert_eq!(found(&wrapped), Verification::Mismatch, "{name} wrapped");
        }
        schemes.push(stored.scheme());
    }
    assert!(schemes.contains(&Scheme::Bcrypt) && schemes.contains(&Scheme::Pbkdf2Sha256));
    assert_eq!(found(&argon2id("")), Verification::Mismatch);
    // The same form with a password: it is the emptiness that is refused.
    let stored = argon2id("x");
    assert!(matches!(passwords.verify(&secret("x"), Some(&stored)).unwrap(), Verification::Match { .. }));
    // And it costs what every other refusal costs.
    let before = passwords.blocks_computed();
    assert_eq!(found(&argon2id("")), Verification::Mismatch);
    assert_eq!(passwords.blocks_computed() - before, weak().blocks());
}

/// A Mac writes `é` as two code points, the form of a browser as one.
#[test]
fn a_name_is_known_in_a_password_however_its_letters_are_composed() {
    let policy = PasswordPolicy::nist_beside_second_factor().with_words(["Cafe\u{301} du Nord"]);
    for (name, password) in [
        ("Rene\u{301}e", "Ren\u{e9}eRen\u{e9}e1!"),
        ("Ren\u{e9}e", "Rene\u{301}eRene\u{301}e1!"),
        ("Rene\u{301}e", "Rene\u{301}eRene\u{301}e1!"),
        ("", "caf\u{e9}caf\u{e9}caf\u{e9}"),
    ] {
        match policy.assess(&secret(password), &About::nobody().user_name(name)).unwrap() {
            Assessment::Refused(why) => assert!(why.iter().any(|why| why == Violation::ContextWord), "{why}"),
            Assessment::Accepted(_) => panic!("{password:?} is {name:?}"),
        }
    }
}

#[derive(Debug, Default)]
struct Failing {
    derive: AtomicBool,
    wipe: AtomicBool,
}

#[derive(Debug)]
struct Shared(Arc<Failing>);

struct Nothing(Arc<Failing>);

impl Argon2idEngine for Shared {
    fn memory(&self, _: u32) -> Option<Box<dyn WorkingMemory>> {
        Some(Box::new(Nothing(self.0.clone())))
    }
}

impl WorkingMemory for Nothing {
    fn derive(&mut self, _: &Argon2idInput<'_>, tag: &mut [u8]) -> Result<(), EngineFailed> {
        assert!(!self.0.derive.swap(false, Ordering::SeqCst), "told to");
        tag.fill(1);
        Ok(())
    }

    fn wipe(&mut self) {
        assert!(!self.0.wipe.swap(false, Ordering::SeqCst), "told to");
    }
}

/// A service that answers Busy for ever after one panic has been switched off by it.
#[test]
fn a_panic_of_an_engine_costs_no_budget_wherever_it_happens() {
    let failing = Arc::new(Failing::default());
    let params = Params::danger_weak(64, 1, 1).unwrap();
    let entropy = Arc::new(bartizan_testkit::SeededEntropy::new(1));
    // Room for one operation.
    let passwords = bartizan_passwords::Passwords::new(params, 64 * 1024, entropy)
        .unwrap()
        .with_engine(Arc::new(Shared(failing.clone())));
    let hash = || {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            passwords.hash(&secret("right")).map(drop).map_err(|error| error.kind())
        }))
    };
    assert_eq!(hash().unwrap(), Ok(()));
    for place in [&failing.derive, &failing.wipe] {
        place.store(true, Ordering::SeqCst);
        assert!(hash().is_err());
        assert_eq!(hash().unwrap(), Ok(()), "Busy for ever");
    }
}

/// What a table can hold that the RFC forbids, or that another reader reads otherwise: refused, never a panic, never a grant.
#[test]
fn no_edge_of_the_stored_forms_is_a_password_or_a_panic() {
    let passwords = passwords(weak());
    for text in [
        "$scrypt$ln=16,r=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$pbkdf2-sha512$i=1,l=16$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "!",
        "!$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        let stored = PasswordHash::parse(text).unwrap();
        for password in ["", "x", "!", "\0", text] {
            assert_eq!(passwords.verify(&secret(password), Some(&stored)).unwrap(), Verification::Mismatch);
        }
    }
    for (text, kind) in [
        ("", ErrorKind::Malformed),
        ("*", ErrorKind::Malformed),
        (" $argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA", ErrorKind::Malformed),
        ("$2b$31$abcdefghijklmnopqrstuuWG29KuyeAicPCJODk1zjyGvyQUU2awu", ErrorKind::TooCostly),
        ("$2b$99$abcdefghijklmnopqrstuuWG29KuyeAicPCJODk1zjyGvyQUU2awu", ErrorKind::TooCostly),
        ("$2b$00$abcdefghijklmnopqrstuuWG29KuyeAicPCJODk1zjyGvyQUU2awu", ErrorKind::Malformed),
        ("pbkdf2_sha256$4294967295$s$AAAAAAAAAAAAAAAAAAAAAA==", ErrorKind::TooCostly),
        ("scrypt$2147483648$s$8$1$AAAAAAAAAAAAAAAAAAAAAA==", ErrorKind::TooCostly),
        ("$scrypt$ln=63,r=4294967295,p=4294967295$AAAA$AAAAAAAAAAAAAAAAAAAAAA", ErrorKind::TooCostly),
        (
            "$wrapped$scrypt$ln=24,r=64,p=64,l=32$AAAA$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
            ErrorKind::TooCostly,
        ),
    ] {
        assert_eq!(PasswordHash::parse(text).unwrap_err().kind(), kind, "{text}");
    }
}

/// The estimator tries every way to read signs as letters, which multiply: of 100 characters it took two seconds.
#[cfg(feature = "strength")]
#[test]
fn row_36_no_password_takes_the_estimator_much_longer_than_another() {
    use std::time::Duration;

    use bartizan_core::{Clock, os::SystemClock};
    use bartizan_passwords::Strength;

    let took = |password: &str| {
        let start = SystemClock.monotonic();
        let strength = Strength::of(&secret(password), &About::nobody()).unwrap();
        (SystemClock.monotonic().since(start), strength)
    };
    let (plain, _) = took(&"violet kettle under moss".repeat(5));
    for signs in ["4@8({[<369!1|$5+7%20", "1|7!+$5@4(<{[69"] {
        for password in [signs.repeat(7), format!("violet kettle under moss {}", signs.repeat(5))] {
            let (signs, strength) = took(&password);
            assert!(signs < 50 * plain.max(Duration::from_millis(1)), "{signs:?} and {plain:?}: {password}");
            assert!(strength >= Strength::Fair, "{strength:?}: {password}");
        }
    }
    // What is cut off is the end of what is long: the rest of it says enough.
    assert_eq!(took("4@8({[<369!1|$5+7%20").1, Strength::VeryStrong);
    assert!(took("p4$$w0rd!1").1 <= Strength::Weak);
}
