//! New passwords: whatever is typed and known is assessed, and what is accepted stays accepted in its normal form.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_core::SecretText;
use bartizan_passwords::{About, Assessment, PasswordPolicy};

fuzz_target!(|text: &str| {
    let (password, known) = text.split_once('\n').unwrap_or((text, ""));
    let about = About::nobody().user_name(known).email(known);
    for policy in [PasswordPolicy::nist(), PasswordPolicy::legacy_composition()] {
        match policy.assess(&SecretText::new(password.to_owned()), &about) {
            Ok(Assessment::Accepted(accepted)) => {
                assert!(accepted.secret().expose().chars().count() >= policy.minimum().into());
                let again = policy.assess(accepted.secret(), &about);
                assert!(matches!(again, Ok(Assessment::Accepted(_))));
            }
            Ok(Assessment::Refused(why)) => assert!(why.iter().count() > 0),
            Err(error) => panic!("{error}"),
        }
    }
});
