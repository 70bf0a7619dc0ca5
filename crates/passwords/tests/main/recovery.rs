//! Recovery codes.

use bartizan_core::SecretText;
use bartizan_crypto_ring::Ring;
use bartizan_passwords::{ErrorKind, MAX_RECOVERY_SET, RecoveryCodes, RecoverySet, Redemption};
use bartizan_testkit::{BrokenEntropy, RepeatingEntropy, SeededEntropy};
use proptest::prelude::*;

use crate::secret;

fn codes(seed: u64) -> RecoveryCodes {
    RecoveryCodes::generate(&Ring::new(), &SeededEntropy::new(seed)).unwrap()
}

fn clear(codes: &RecoveryCodes) -> Vec<String> {
    codes.iter().map(|code| code.expose().to_owned()).collect()
}

fn redeemed(set: &RecoverySet, code: &str) -> Option<RecoverySet> {
    match set.redeem(&Ring::new(), &secret(code)) {
        Redemption::Match(rest) => Some(rest),
        Redemption::Mismatch => None,
    }
}

#[test]
fn asvs_6_5_1_each_code_works_once() {
    let codes = codes(1);
    let mut set = RecoverySet::parse(&codes.set().to_text()).unwrap();
    for (used, code) in clear(&codes).iter().enumerate() {
        set = redeemed(&set, code).unwrap();
        assert_eq!(set.len(), 9 - used);
        set = RecoverySet::parse(&set.to_text()).unwrap();
        assert!(redeemed(&set, code).is_none(), "twice");
    }
    assert!(set.is_empty());
}

/// Two requests read the same column; the compare-and-set on it lets one in.
#[test]
fn of_many_logins_with_one_code_one_gets_in() {
    let codes = codes(2);
    let column = std::sync::Mutex::new(codes.set().to_text());
    let code = clear(&codes)[0].clone();
    let get_in = || {
        let old = column.lock().unwrap().clone();
        let Some(rest) = redeemed(&RecoverySet::parse(&old).unwrap(), &code) else { return 0 };
        let mut column = column.lock().unwrap();
        if *column != old {
            return 0;
        }
        *column = rest.to_text();
        1
    };
    let entered: usize = std::thread::scope(|scope| {
        let logins: Vec<_> = (0..8).map(|_| scope.spawn(get_in)).collect();
        logins.into_iter().map(|login| login.join().unwrap()).sum()
    });
    assert_eq!(entered, 1);
}

#[test]
fn asvs_6_5_2_asvs_6_5_4_codes_are_stored_hashed_with_a_salt_and_have_120_bits() {
    let codes = codes(3);
    let stored = codes.set().to_text();
    assert!(stored.len() <= MAX_RECOVERY_SET);
    for code in clear(&codes) {
        let letters: String = code.chars().filter(|c| *c != '-').collect();
        assert_eq!((letters.len(), code.len()), (24, 29), "24 letters of five bits are 120");
        for part in code.split('-').chain([letters.as_str()]) {
            assert!(!stored.contains(part), "{stored}");
        }
    }
    // The same codes under another salt are other hashes: the first 16 bytes of a set are its salt.
    let bytes: Vec<u8> = (0..166).collect();
    let mut salted = bytes.clone();
    salted[0] ^= 1;
    let [one, other] = [bytes, salted].map(|bytes| {
        RecoveryCodes::generate(&Ring::new(), &RepeatingEntropy::of(bytes)).unwrap().set().to_text()
    });
    let hashes = |text: &str| text.split('$').skip(2).map(str::to_owned).collect::<Vec<_>>();
    assert!(hashes(&one).iter().all(|hash| !hashes(&other).contains(hash)));
    assert!(redeemed(&RecoverySet::parse(&other).unwrap(), &clear(&codes)[0]).is_none());
}

#[test]
fn asvs_6_5_3_codes_come_from_the_given_randomness() {
    let error = RecoveryCodes::generate(&Ring::new(), &BrokenEntropy).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Entropy);
    let all: std::collections::HashSet<String> = (0..20).flat_map(|seed| clear(&codes(seed))).collect();
    assert_eq!(all.len(), 200);
}

#[test]
fn new_codes_end_the_old_ones() {
    let (old, new) = (codes(4), codes(5));
    for code in clear(&old) {
        assert!(redeemed(new.set(), &code).is_none());
    }
}

#[test]
fn a_code_is_read_as_people_write_it() {
    // Zeros and ones, which people write as letters: five bits each of 0 and 1.
    let codes =
        RecoveryCodes::generate(&Ring::new(), &RepeatingEntropy::of([0b0000_0000, 0b0100_0000])).unwrap();
    let code = clear(&codes)[0].clone();
    assert!(code.contains('0') && code.contains('1'), "{code}");
    for spelt in [
        code.clone(),
        code.to_lowercase(),
        code.replace('-', ""),
        code.replace('-', " "),
        format!(" {code} "),
        code.replace('0', "O"),
        code.replace('0', "o").replace('1', "l"),
        code.replace('1', "I"),
        code.replace('1', "i").to_lowercase(),
    ] {
        assert!(redeemed(codes.set(), &spelt).is_some(), "{spelt}");
    }
    for wrong in [
        String::new(),
        code[..28].to_owned(),
        format!("{code}0"),
        code.replace('0', "U"),
        code.replace('-', "_"),
        code.replace('0', "\u{660}"),
        code.replacen('0', "2", 1),
        "0".repeat(1_000_000),
        " ".repeat(1_000_000),
    ] {
        assert!(redeemed(codes.set(), &wrong).is_none(), "{wrong:.80}");
    }
}

#[test]
fn a_stored_set_has_one_form() {
    let text = codes(6).set().to_text();
    let salt = text.split('$').nth(1).unwrap();
    assert_eq!(RecoverySet::parse(&format!("bzrc1${salt}")).unwrap().len(), 0, "all used");
    for refused in [
        String::new(),
        "bzrc1".to_owned(),
        "bzrc1$".to_owned(),
        text.replacen("bzrc1", "bzrc2", 1),
        text.replacen("bzrc1", "BZRC1", 1),
        format!("{text}$"),
        format!("{text}\n"),
        format!(" {text}"),
        format!("{text}${}", "A".repeat(43)),
        text[..text.len() - 1].to_owned(),
        format!("{}=", &text[..text.len() - 1]),
        format!("bzrc1${}", "A".repeat(21)),
        // A last letter with bits that are lost would be a second text of one set.
        format!("bzrc1${}B", "A".repeat(21)),
        text.repeat(10_000),
    ] {
        assert_eq!(RecoverySet::parse(&refused).unwrap_err().kind(), ErrorKind::Stored, "{refused:.100}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_makes_the_readers_panic_or_opens_anything(text in "(bzrc1\\$|[$A-Za-z0-9_ -]|\\PC){0,60}") {
        if let Ok(set) = RecoverySet::parse(&text) {
            prop_assert_eq!(set.to_text(), text.clone());
        }
        prop_assert!(matches!(codes(7).set().redeem(&Ring::new(), &SecretText::new(text)), Redemption::Mismatch));
    }
}
