//! No password, salt or tag in anything that can be shown.

use bartizan_passwords::PasswordHash;

use crate::{hash_with, passwords, secret, weak};

const CANARY: &str = "canary-7c31-correct-horse";

#[test]
fn nothing_that_can_be_shown_shows_a_password_or_a_hash() {
    let passwords = passwords(weak());
    let stored = passwords.hash(&secret(CANARY)).unwrap();
    let phc = stored.to_phc();
    let long = secret(&CANARY.repeat(100));
    let errors = [
        passwords.hash(&long).unwrap_err(),
        passwords.verify(&long, None).unwrap_err(),
        passwords.verify(&secret(CANARY), Some(&hash_with(4_194_304, 1, 1))).unwrap_err(),
        PasswordHash::parse(&format!("{phc}{CANARY}")).unwrap_err(),
        PasswordHash::parse(&phc.replace("m=64", "m=4294967295")).unwrap_err(),
    ];
    let mut shown = format!("{passwords:?} {passwords:#?} {stored:?} {stored:#?}");
    for error in errors {
        shown += &format!(" {error} {error:?} {error:#?}");
    }
    shown += &format!("{:?}", passwords.verify(&secret(CANARY), Some(&stored)).unwrap());
    for text in
        [format!("{{noop}}{CANARY}"), CANARY.to_owned(), format!("md5${CANARY}"), format!("$2x$12${CANARY}")]
    {
        let error = PasswordHash::parse(&text).unwrap_err();
        shown += &format!(" {error} {error:?}");
    }
    let legacy = PasswordHash::parse(&format!("pbkdf2_sha256$1${CANARY}${}==", "A".repeat(22))).unwrap();
    let wrapped = passwords.wrap_legacy(&legacy).unwrap().unwrap();
    shown +=
        &format!("{legacy:?} {wrapped:?} {:?}", passwords.verify(&secret(CANARY), Some(&legacy)).unwrap());
    for secret in [CANARY, &CANARY[..6]].into_iter().chain(phc.split('$').filter(|part| part.len() > 20)) {
        assert!(!shown.contains(secret), "{shown}");
    }
}
