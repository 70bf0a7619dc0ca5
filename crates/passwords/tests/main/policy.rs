//! Which passwords may be set.

use bartizan_passwords::{About, Assessment, MAX_PASSWORD, PasswordPolicy, Verification, Violation};
use proptest::prelude::*;

use crate::{passwords, secret, weak};

fn about() -> About {
    About::nobody().user_name("Ada Lovelace").email("ada.lovelace1815@mail.example.org")
}

fn violations(policy: &PasswordPolicy, password: &str, about: &About) -> Vec<Violation> {
    match policy.assess(&secret(password), about).unwrap() {
        Assessment::Accepted(_) => Vec::new(),
        Assessment::Refused(why) => why.iter().collect(),
    }
}

#[track_caller]
fn accepted(policy: &PasswordPolicy, password: &str) {
    assert_eq!(violations(policy, password, &about()), [], "{password}");
}

#[track_caller]
fn refused(policy: &PasswordPolicy, password: &str, why: Violation) {
    assert_eq!(violations(policy, password, &about()), [why], "{password}");
}

#[test]
fn asvs_6_2_1_fifteen_characters_alone_and_eight_beside_a_second_factor() {
    let (alone, beside) = (PasswordPolicy::nist(), PasswordPolicy::nist_beside_second_factor());
    let text = "vK9#tqLw2zRb7xP";
    accepted(&alone, text);
    refused(&alone, &text[..14], Violation::TooShort { characters: 15 });
    accepted(&beside, &text[..8]);
    refused(&beside, &text[..7], Violation::TooShort { characters: 8 });
    for policy in [PasswordPolicy::nist(), PasswordPolicy::nist_beside_second_factor()] {
        let least = policy.minimum();
        assert_eq!(policy.clone().at_least(3).minimum(), least, "never lowered");
        assert_eq!(policy.clone().at_least(20).minimum(), 20);
        assert_eq!(policy.at_least(65).minimum(), 64, "64 characters are allowed to everybody");
    }
}

/// Section 3.1.1.2: each code point is one character; and those of Normalization Form C are counted.
#[test]
fn row_34_length_is_counted_in_code_points_of_form_c() {
    let beside = PasswordPolicy::nist_beside_second_factor();
    accepted(&beside, "ключ🔑дом");
    refused(&beside, "ключ🔑до", Violation::TooShort { characters: 8 });
    // Seven letters and seven combining marks are seven characters.
    let split = "q\u{323}w\u{323}z\u{323}h\u{323}t\u{323}k\u{323}v\u{323}";
    assert_eq!(split.chars().count(), 14);
    assert!(violations(&beside, split, &about()).len() <= 1);
    refused(
        &beside,
        "e\u{301}u\u{308}o\u{302}a\u{30a}n\u{303}i\u{300}c\u{327}",
        Violation::TooShort { characters: 8 },
    );
}

#[test]
fn asvs_6_2_4_the_3000_most_common_passwords_that_are_long_enough_are_refused() {
    let list = include_str!("../vectors/zxcvbn/top-3000-of-eight-characters.txt");
    assert_eq!(list.lines().count(), 3_000);
    let (policy, nobody) = (PasswordPolicy::nist_beside_second_factor(), About::nobody());
    for (rank, password) in list.lines().enumerate() {
        let spelt = if rank % 2 == 0 { password.to_owned() } else { password.to_uppercase() };
        assert_eq!(violations(&policy, &spelt, &nobody), [Violation::Common], "{spelt}");
    }
}

#[test]
fn what_little_is_added_to_a_common_password_changes_nothing() {
    let (alone, beside) = (PasswordPolicy::nist(), PasswordPolicy::nist_beside_second_factor());
    for password in [
        "Password1!",
        "P@ssw0rd",
        "P@$$w0rd!",
        "monkey2024",
        "1monkey123",
        "12345678",
        "abcdefgh",
        "hgfedcba",
        "qwertz123",
        "azertyuiop",
        "aaaaaaaa",
        "aaaabbbbcccc",
        "dragon-1",
    ] {
        refused(&beside, password, Violation::Common);
    }
    for password in [
        "passwordpassword",
        "password12345678",
        "FootballBaseball",
        "abcdefghijklmnop",
        "1234567890123456",
        "qwertyuiopasdfghjkl",
        "aaaaaaaaaaaaaaaaaaaaaaa",
        "superman2019batman",
        "123456789987654321",
    ] {
        refused(&alone, password, Violation::Common);
    }
}

/// “Not substrings or words that might be contained therein” (section 3.1.1.2).
#[test]
fn a_good_password_may_contain_a_bad_one() {
    let alone = PasswordPolicy::nist().with_words(["Clinic North"]);
    for password in [
        "violet kettle under my password",
        "superman never waters the ferns",
        "the clinic opens on 12345 rainy days",
        "ada went home by tram again",
        "correct horse battery staple",
        "monkey ladder dragon cactus",
        "vK9#password#7xPq",
    ] {
        accepted(&alone, password);
    }
}

#[test]
fn asvs_6_2_5_no_composition_is_asked_for_by_default() {
    let alone = PasswordPolicy::nist();
    for password in [
        "lowercaselettersonlyhere",
        "UPPERCASELETTERSONLYHERE",
        "8205417396601847",
        "кораблилавировали",
        "                 x  y      ",
        "🐝🌵🪁🎻🧭🦉🪵🫐🧊🪐🎲🛶🧿🪢🦔",
        "tab\tand\u{0}nul\u{7f}and\u{200d}joiner",
    ] {
        accepted(&alone, password);
    }
}

#[test]
fn the_guides_rule_asks_for_four_classes_and_says_all_that_is_missing() {
    let guides = PasswordPolicy::legacy_composition();
    accepted(&guides, "vK9!tqLw");
    for (password, missing) in [
        ("VK9!TQLW", Violation::NoLowercase),
        ("vk9!tqlw", Violation::NoUppercase),
        ("vKx!tqLw", Violation::NoDigit),
        ("vK9#tqLw", Violation::NoSpecial),
        ("vK9!tqL", Violation::TooShort { characters: 8 }),
    ] {
        refused(&guides, password, missing);
    }
    let all = [
        Violation::TooShort { characters: 12 },
        Violation::NoLowercase,
        Violation::NoUppercase,
        Violation::NoDigit,
        Violation::NoSpecial,
    ];
    assert_eq!(violations(&guides.clone().at_least(12), "\u{4e2d}\u{6587}\u{5bc6}\u{7801}", &about()), all);
    // What such rules lead to is refused all the same.
    refused(&guides, "Password1!", Violation::Common);
}

#[test]
fn asvs_6_2_9_passwords_up_to_the_limit_are_accepted_and_what_is_longer_is_not_looked_at() {
    let alone = PasswordPolicy::nist();
    let long = "vK9#tqLw".repeat(MAX_PASSWORD / 8);
    accepted(&alone, &long[..64]);
    accepted(&alone, &long);
    let too_long = Violation::TooLong { bytes: 1_024 };
    refused(&alone, &format!("{long}x"), too_long);
    refused(&alone, &"a".repeat(1_000_000), too_long);
    refused(&PasswordPolicy::legacy_composition(), &"a".repeat(1_025), too_long);
}

/// A password that was accepted years ago is accepted today: nothing in a policy knows of time.
#[test]
fn asvs_6_2_10_no_policy_knows_the_age_of_a_password() {
    let policy = PasswordPolicy::nist();
    for _ in 0..3 {
        accepted(&policy, "violet kettle under moss");
    }
    let hashes = passwords(weak());
    let password = secret("violet kettle under moss");
    let stored = hashes.hash(&password).unwrap();
    let verified = hashes.verify(&password, Some(&stored)).unwrap();
    assert_eq!(verified, Verification::Match { needs_rehash: false });
}

#[test]
fn asvs_6_2_11_words_about_the_user_and_the_service_are_refused() {
    let beside = PasswordPolicy::nist_beside_second_factor().with_words(["Clinic North", "bartizan"]);
    let alone = PasswordPolicy::nist().with_words(["Clinic North", "bartizan"]);
    for password in [
        "lovelace",
        "LoveLace1815!",
        "ada.lovelace",
        "AdaLovelace1815",
        "l0v3l4c3-99",
        "clinicnorth",
        "Clinic-North-2024",
        "bartizan!?x",
        "bartizanpassword",
        "example-mail1",
    ] {
        // Some are common as well: love, lace.
        let why = violations(&beside, password, &about());
        assert!(why.contains(&Violation::ContextWord), "{password}: {why:?}");
    }
    for password in ["adalovelace@mail.example", "ClinicNorthBartizan", "lovelacelovelacelovelace"] {
        let why = violations(&alone, password, &about());
        assert!(why.contains(&Violation::ContextWord), "{password}: {why:?}");
    }
    // Without knowing her, or this service, they are passwords like others.
    let stranger = PasswordPolicy::nist_beside_second_factor();
    assert_eq!(violations(&stranger, "l0v3l4c3-99", &About::nobody()), []);
    assert_eq!(violations(&stranger, "bartizan!?x", &about()), []);
}

#[test]
fn words_have_their_bounds() {
    let many = (0..1_000).fold(About::nobody(), |about, i| about.word(&format!("word{i}")));
    let long =
        About::nobody().word(&"vk9".repeat(100_000)).word("").word("ab").email("@").email("").user_name("-");
    let beside = PasswordPolicy::nist_beside_second_factor();
    for about in [many, long] {
        // Words of two characters would refuse half of all passwords.
        assert_eq!(violations(&beside, "abXabQabZ", &about), []);
        assert!(format!("{about:?}").len() < 60, "{about:?}");
    }
}

#[test]
fn a_new_password_is_hashed_in_the_form_that_was_assessed() {
    let policy = PasswordPolicy::nist();
    let typed = "Zu\u{308}rich kettle moss";
    let Assessment::Accepted(accepted) = policy.assess(&secret(typed), &about()).unwrap() else {
        panic!("refused")
    };
    assert_eq!(accepted.secret().expose(), "Z\u{fc}rich kettle moss");
    let hashes = passwords(weak());
    let stored = hashes.hash_accepted(&accepted).unwrap();
    for spelt in [typed, "Z\u{fc}rich kettle moss"] {
        assert!(matches!(hashes.verify(&secret(spelt), Some(&stored)).unwrap(), Verification::Match { .. }));
    }
}

/// All codes and sentences are ours: nothing of the password, and none twice.
#[test]
fn every_reason_has_its_own_constant_code_and_sentence() {
    let all = [
        Violation::TooShort { characters: 15 },
        Violation::TooLong { bytes: 1_024 },
        Violation::NoLowercase,
        Violation::NoUppercase,
        Violation::NoDigit,
        Violation::NoSpecial,
        Violation::Common,
        Violation::ContextWord,
        Violation::Weak,
        Violation::Breached,
    ];
    let codes: std::collections::BTreeSet<_> = all.iter().map(|violation| violation.code()).collect();
    let sentences: std::collections::BTreeSet<_> = all.iter().map(ToString::to_string).collect();
    assert_eq!((codes.len(), sentences.len()), (all.len(), all.len()));
}

#[cfg(feature = "strength")]
#[test]
fn a_policy_can_ask_for_a_strength() {
    use bartizan_passwords::Strength;

    let nobody = About::nobody();
    for (password, strength) in [
        ("password", Strength::VeryWeak),
        ("", Strength::VeryWeak),
        ("hey<123", Strength::Fair),
        ("Imaginative-Say-Shoulder-Dish-0", Strength::VeryStrong),
    ] {
        assert_eq!(Strength::of(&secret(password), &nobody).unwrap(), strength, "{password}");
    }
    let policy = PasswordPolicy::nist_beside_second_factor().min_strength(Strength::Strong);
    assert_eq!(violations(&policy, "20/11/1991 x", &nobody), [Violation::Weak]);
    accepted(&policy, "violet kettle under moss");
    // Known words count against it.
    let free = Strength::of(&secret("qooplith-zyxwander"), &nobody).unwrap();
    let known = Strength::of(&secret("qooplith-zyxwander"), &nobody.word("qooplith zyxwander")).unwrap();
    assert!(known < free, "{known:?} {free:?}");
}

/// What hangs estimators ends here in the time of a hundred characters.
#[cfg(feature = "strength")]
#[test]
fn row_36_the_longest_passwords_are_estimated_by_their_first_hundred_characters() {
    use bartizan_passwords::{ErrorKind, MAX_ESTIMATED, Strength};

    let policy = PasswordPolicy::nist().min_strength(Strength::Strong);
    for unit in ["4@8({[<3", "1991", "\u{130}"] {
        let long = secret(&unit.repeat(MAX_PASSWORD / unit.len()));
        let head: String = long.expose().chars().take(MAX_ESTIMATED).collect();
        let _ = policy.assess(&long, &about()).unwrap();
        let nobody = About::nobody();
        assert_eq!(Strength::of(&long, &nobody).unwrap(), Strength::of(&secret(&head), &nobody).unwrap());
    }
    let error = Strength::of(&secret(&"x".repeat(1_000_000)), &about()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLong);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is typed and known: an answer, at least one reason with each refusal, each reason once.
    #[test]
    fn every_text_is_assessed(password in "(\\PC|[a-c01]|password|ada){0,40}", known in "\\PC{0,30}") {
        let about = about().word(&known).email(&known);
        for policy in [PasswordPolicy::nist(), PasswordPolicy::legacy_composition()] {
            let policy = policy.with_words([known.as_str()]);
            match policy.assess(&secret(&password), &about).unwrap() {
                Assessment::Accepted(accepted) => {
                    prop_assert!(accepted.secret().expose().chars().count() >= policy.minimum().into());
                }
                Assessment::Refused(why) => {
                    let unique: std::collections::HashSet<_> = why.iter().collect();
                    prop_assert!(unique.len() == why.iter().count() && !unique.is_empty());
                }
            }
        }
    }

    /// Random characters are never among the first guesses.
    #[test]
    fn random_passwords_are_accepted(password in "[!-~]{20}") {
        prop_assert_eq!(violations(&PasswordPolicy::nist(), &password, &about()), []);
    }
}
