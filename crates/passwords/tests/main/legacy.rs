//! Hashes of other systems: what is read, what it matches, what is refused.

use std::sync::Arc;

use bartizan_core::Fault;
use bartizan_passwords::{ErrorKind, MAX_PHC, PasswordHash, Passwords, Scheme, Verification};
use bartizan_testkit::SeededEntropy;
use proptest::prelude::*;

use crate::{SALT, passwords, secret, weak};

const DJANGO: &str = include_str!("../vectors/django/hashes.tsv");
const PASSLIB: &str = include_str!("../vectors/passlib/hashes.tsv");
const SPRING: &str = include_str!("../vectors/spring/hashes.tsv");
const OPENWALL: &str = include_str!("../vectors/openwall/hashes.tsv");

/// `b"password"` by bcrypt 5 and by PBKDF2, for tests that want little work.
pub(crate) const BCRYPT: &str = "$2b$05$abcdefghijklmnopqrstuuWG29KuyeAicPCJODk1zjyGvyQUU2awu";
pub(crate) const PBKDF2: &str =
    "pbkdf2_sha256$1000$seasalt000000000000000$IhRxGqH98BqY/bEcht3ARstHhbxDF4uenkY5vi25QPs=";

fn kind(text: &str) -> Option<ErrorKind> {
    PasswordHash::parse(text).err().map(|error| error.kind())
}

fn is_match(verification: Verification) -> bool {
    matches!(verification, Verification::Match { .. })
}

/// Name, password, stored form.
pub(crate) fn lines(file: &'static str) -> impl Iterator<Item = (&'static str, String, &'static str)> {
    file.lines().map(|line| {
        let [name, hex, text] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
        (name, String::from_utf8(bytes.collect()).unwrap(), text)
    })
}

/// Spring's scrypt takes 64 MiB.
pub(crate) fn roomy() -> Passwords {
    Passwords::new(weak(), 128 << 20, Arc::new(SeededEntropy::new(7))).unwrap()
}

pub(crate) fn all() -> impl Iterator<Item = (&'static str, String, &'static str)> {
    [DJANGO, PASSLIB, SPRING, OPENWALL].into_iter().flat_map(lines)
}

#[test]
fn hashes_of_other_systems_verify_and_are_to_be_made_again() {
    let passwords = roomy();
    let mut count = 0;
    for (name, password, text) in all() {
        let stored = PasswordHash::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(stored.to_phc(), text, "{name}");
        let found = passwords.verify(&secret(&password), Some(&stored)).unwrap();
        // What bcrypt would cut never matches, nor does nothing.
        let is_cut = stored.scheme() == Scheme::Bcrypt && password.len() > 72 || password.is_empty();
        let is_argon2id = stored.scheme() == Scheme::Argon2id;
        match found {
            Verification::Match { needs_rehash } => assert!(needs_rehash != is_argon2id && !is_cut, "{name}"),
            Verification::Mismatch => assert!(is_cut, "{name}"),
        }
        assert_eq!(passwords.needs_rehash(&stored), !is_argon2id, "{name}");
        assert!(!stored.is_wrapped() && stored.key_id().is_none(), "{name}");
        count += 1;
    }
    assert_eq!(count, 28 + 30 + 8 + 5);
}

#[test]
fn another_password_does_not_match_in_any_scheme() {
    let passwords = passwords(weak());
    for (name, password, text) in lines(DJANGO).chain(lines(PASSLIB)).filter(|line| line.0.ends_with(" 0")) {
        let stored = PasswordHash::parse(text).unwrap();
        for wrong in [&password[1..], &format!("{password} "), &password.to_uppercase(), ""] {
            let found = passwords.verify(&secret(wrong), Some(&stored)).unwrap();
            assert_eq!(found, Verification::Mismatch, "{name}");
        }
    }
}

#[test]
fn schemes_are_named() {
    for (text, scheme) in [
        (BCRYPT, Scheme::Bcrypt),
        (PBKDF2, Scheme::Pbkdf2Sha256),
        (&format!("bcrypt_sha256${BCRYPT}"), Scheme::BcryptSha256),
        (&PBKDF2.replace("sha256", "sha1"), Scheme::Pbkdf2Sha1),
        (&format!("$pbkdf2-sha512$i=1000,l=16${SALT}${SALT}"), Scheme::Pbkdf2Sha512),
        (&format!("$scrypt$ln=4,r=8,p=1${SALT}${SALT}"), Scheme::Scrypt),
        ("!zwDYIvoeEJpBJs2TDPE7MuYl", Scheme::Unusable),
    ] {
        assert_eq!(PasswordHash::parse(text).unwrap().scheme(), scheme, "{text}");
    }
}

#[test]
fn row_31_no_byte_of_a_password_is_ignored_by_bcrypt() {
    let passwords = passwords(weak());
    let (_, long, text) = lines(OPENWALL).last().unwrap();
    assert!(long.len() > 72);
    let stored = PasswordHash::parse(text).unwrap();
    let verify = |password: &str| is_match(passwords.verify(&secret(password), Some(&stored)).unwrap());
    // The system that made this hash read 72 bytes: they match, and nothing that begins with them does.
    assert!(verify(&long[..72]));
    assert!(!verify(&long));
    assert!(!verify(&long[..73]));
    assert!(!verify(&format!("{}?", &long[..72])));
    assert!(!verify(&long[..71]));
    // Django's SHA-256 before it reads them all.
    let (_, long, text) = lines(DJANGO).find(|line| line.0 == "bcrypt_sha256 of 200").unwrap();
    let stored = PasswordHash::parse(text).unwrap();
    assert!(is_match(passwords.verify(&secret(&long), Some(&stored)).unwrap()));
    assert_eq!(passwords.verify(&secret(&long[1..]), Some(&stored)).unwrap(), Verification::Mismatch);
}

#[test]
fn row_31_nul_makes_no_second_password() {
    let passwords = passwords(weak());
    let stored = PasswordHash::parse(BCRYPT).unwrap();
    assert!(is_match(passwords.verify(&secret("password"), Some(&stored)).unwrap()));
    for wrong in ["password\0", "password\0password", "password\0x", "\0password"] {
        let found = passwords.verify(&secret(wrong), Some(&stored)).unwrap();
        assert_eq!(found, Verification::Mismatch, "{wrong:?}");
    }
    // PBKDF2 and scrypt read every byte, but HMAC fills up its key with NULs.
    let (_, _, scrypt) = lines(PASSLIB).find(|line| line.0 == "scrypt 0").unwrap();
    for text in [PBKDF2, scrypt] {
        let stored = PasswordHash::parse(text).unwrap();
        assert!(is_match(passwords.verify(&secret("password"), Some(&stored)).unwrap()));
        for wrong in ["password\0", "password\0\0", "password\0x"] {
            let found = passwords.verify(&secret(wrong), Some(&stored)).unwrap();
            assert_eq!(found, Verification::Mismatch, "{wrong:?}");
        }
    }
}

#[test]
fn row_31_versions_2a_2b_and_2y_are_one_and_2x_is_refused() {
    let passwords = passwords(weak());
    for version in ["$2a$", "$2b$", "$2y$"] {
        let stored = PasswordHash::parse(&BCRYPT.replace("$2b$", version)).unwrap();
        assert!(is_match(passwords.verify(&secret("password"), Some(&stored)).unwrap()), "{version}");
    }
    for version in ["$2x$", "$2$"] {
        assert_eq!(kind(&BCRYPT.replace("$2b$", version)), Some(ErrorKind::Refused), "{version}");
    }
    assert_eq!(kind(&BCRYPT.replace("$2b$", "$2c$")), Some(ErrorKind::Malformed));
}

#[test]
fn row_32_an_account_without_a_password_is_an_unknown_user() {
    let passwords = passwords(weak());
    let stored = PasswordHash::parse("!zwDYIvoeEJpBJs2TDPE7MuYl").unwrap();
    let work = |stored: Option<&PasswordHash>| {
        let before = passwords.blocks_computed();
        assert_eq!(passwords.verify(&secret("x"), stored).unwrap(), Verification::Mismatch);
        passwords.blocks_computed() - before
    };
    assert_eq!(work(Some(&stored)), work(None));
    assert!(!passwords.needs_rehash(&stored));
    assert!(passwords.wrap_legacy(&stored).unwrap().is_none());
    assert_eq!(stored.to_phc(), "!zwDYIvoeEJpBJs2TDPE7MuYl");
}

/// What is asked for beside the scheme's own work: never less than an unknown user costs.
#[test]
fn row_32_a_legacy_hash_never_costs_less_than_an_unknown_user() {
    let passwords = passwords(weak());
    let work = |password: &str, stored: Option<&PasswordHash>| {
        let before = passwords.blocks_computed();
        let _ = passwords.verify(&secret(password), stored).unwrap();
        passwords.blocks_computed() - before
    };
    let unknown = work("password", None);
    for text in [BCRYPT, PBKDF2] {
        let stored = PasswordHash::parse(text).unwrap();
        for password in ["password", "wrong", &"x".repeat(100), "nul\0"] {
            assert_eq!(work(password, Some(&stored)), unknown, "{password:?}");
        }
    }
}

#[test]
fn what_protects_nothing_is_refused() {
    for text in [
        "{noop}password",
        "{MD4}{salt}8a24367a1f46c141048752f2d5bbd14b",
        "{MD5}{salt}905e382a25eed53e22224223b3581092",
        "{SHA-1}{salt}4f31573948ddbfb8ac9dd80107dfad13fd8f2454",
        "{SHA-256}{salt}6db1a2a3d7a3e3d7",
        "{SHA}2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
        "{sha256}97cde38028ad898ebc02e690819fa220e88c62e0699403e94fff291cfffaf8410849f27605abcbc0",
        "{ldap}{SSHA}5hRgcEUVtxlq3Fr3pkDD1Q==",
        "md5$seasalt$3f86d0d3d465b7b458c231bf3555c0e3",
        "sha1$seasalt$cff36ea83f5706ce9aa7454e63e431fc726b2dc8",
        "unsalted_md5$$88a434c88cca4e900f7874cd98123f43",
        "crypt$$ab1Hv2Lg7ltQo",
        "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
    ] {
        let error = PasswordHash::parse(text).unwrap_err();
        assert_eq!((error.kind(), error.fault()), (ErrorKind::Refused, Fault::Integrity), "{text}");
    }
    for text in
        ["password", "hunter2", "5f4dcc3b5aa765d61d8327deb882cf99", "", "{unknown}x", "{", "{}", "$", "$$"]
    {
        assert_eq!(kind(text), Some(ErrorKind::Malformed), "{text}");
    }
}

#[test]
fn row_30_costs_beyond_every_bound_are_refused_while_reading() {
    for text in [
        BCRYPT.replace("$05$", "$17$"),
        BCRYPT.replace("$05$", "$31$"),
        BCRYPT.replace("$05$", "$99$"),
        PBKDF2.replace("$1000$", "$10000001$"),
        PBKDF2.replace("$1000$", "$4294967295$"),
        format!("$pbkdf2-sha256$i=5000001,l=48${SALT}${}", "A".repeat(64)),
        format!("$scrypt$ln=25,r=1,p=1${SALT}${SALT}"),
        format!("$scrypt$ln=4294967295,r=8,p=1${SALT}${SALT}"),
        format!("$scrypt$ln=10,r=4294967295,p=4294967295${SALT}${SALT}"),
        format!("scrypt$2147483648$salt$8$1${SALT}=="),
        format!("{{scrypt}}$ffffffff${SALT}==${SALT}=="),
    ] {
        assert_eq!(kind(&text), Some(ErrorKind::TooCostly), "{text}");
    }
    for text in [
        BCRYPT.replace("$05$", "$03$"),
        BCRYPT.replace("$05$", "$5$"),
        BCRYPT.replace("$05$", "$+5$"),
        BCRYPT.replace("$05$", "$005$"),
        format!("{BCRYPT}A"),
        BCRYPT[..59].to_owned(),
        BCRYPT.replace("WG29", "W!29"),
        PBKDF2.replace("$1000$", "$0$"),
        PBKDF2.replace("$1000$", "$01000$"),
        PBKDF2.replace("$1000$", "$10000000000$"),
        PBKDF2.replace("seasalt000000000000000", ""),
        PBKDF2.replace("seasalt", &"s".repeat(64)),
        PBKDF2.replace("QPs=", "QPs"),
        PBKDF2.replace("$1000$", "$1000$$"),
        format!("$scrypt$ln=0,r=8,p=1${SALT}${SALT}"),
        format!("$scrypt$ln=4,r=0,p=1${SALT}${SALT}"),
        format!("$scrypt$r=8,ln=4,p=1${SALT}${SALT}"),
        format!("$scrypt$ln=4,r=8,p=1,x=1${SALT}${SALT}"),
        format!("$scrypt$ln=4,r=8,p=1${SALT}$AAAA"),
        format!("scrypt$1000$salt$8$1${SALT}=="),
        format!("$pbkdf2-sha256$i=1000,l=17${SALT}${SALT}"),
        format!("$pbkdf2-sha1$i=1000${SALT}${SALT}"),
        format!("$pbkdf2-md5$i=1000${SALT}${SALT}"),
        "{pbkdf2}00ff".to_owned(),
        format!("{{pbkdf2}}{}", "0".repeat(81)),
        format!("{{pbkdf2}}{}", "g".repeat(80)),
        format!("{{scrypt}}$-e0801${SALT}==${SALT}=="),
        format!("!{}", "x".repeat(MAX_PHC)),
    ] {
        assert_eq!(kind(&text), Some(ErrorKind::Malformed), "{text}");
    }
}

#[test]
fn row_36_a_megabyte_costs_no_work_in_any_scheme() {
    let passwords = passwords(weak());
    let wrapped = passwords.wrap_legacy(&PasswordHash::parse(BCRYPT).unwrap()).unwrap().unwrap();
    let before = passwords.blocks_computed();
    let megabyte = secret(&"\u{308}".repeat(500_000));
    for stored in [PasswordHash::parse(BCRYPT).unwrap(), PasswordHash::parse(PBKDF2).unwrap(), wrapped] {
        let error = passwords.verify(&megabyte, Some(&stored)).unwrap_err();
        assert_eq!((error.kind(), error.fault()), (ErrorKind::TooLong, Fault::Peer));
    }
    assert_eq!(passwords.verify(&megabyte, None).unwrap_err().kind(), ErrorKind::TooLong);
    assert_eq!(passwords.blocks_computed(), before);
}

#[test]
fn row_34_other_systems_hash_what_was_typed_and_not_its_form_c() {
    let passwords = passwords(weak());
    let (_, composed, text) = lines(DJANGO).find(|line| line.0 == "pbkdf2_sha256 2").unwrap();
    let stored = PasswordHash::parse(text).unwrap();
    assert!(is_match(passwords.verify(&secret(&composed), Some(&stored)).unwrap()));
    let decomposed = composed.replace('ä', "a\u{308}");
    assert_ne!(decomposed, composed);
    assert_eq!(passwords.verify(&secret(&decomposed), Some(&stored)).unwrap(), Verification::Mismatch);
}

proptest! {
    #[test]
    fn one_changed_byte_of_a_legacy_hash_is_another_text_or_none(line in 0_usize..71, at in 0_usize..512, byte in 0_u8..128) {
        let (_, _, text) = all().nth(line).unwrap();
        let mut bytes = text.as_bytes().to_vec();
        let length = bytes.len();
        bytes[at % length] = byte;
        let changed = String::from_utf8(bytes).unwrap();
        if let Ok(hash) = PasswordHash::parse(&changed) {
            prop_assert_eq!(hash.to_phc(), changed);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(
        text in "(\\$|\\{|!|)(2[abxy]|scrypt|pbkdf2|pbkdf2-sha256|pbkdf2_sha256|wrapped|bcrypt|argon2|argon2id)[}$,=a-z0-9A-Z+/. -]{0,90}",
    ) {
        if let Ok(hash) = PasswordHash::parse(&text) {
            prop_assert_eq!(hash.to_phc(), text);
        }
    }
}
