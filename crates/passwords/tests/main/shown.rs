//! No password, secret, code or word in anything that can be shown.

use std::sync::Arc;

use bartizan_core::{SecretBytes, UnixTime};
use bartizan_crypto_ring::Ring;
use bartizan_passwords::{
    About, BreachedBuilder, BreachedFilter, Enrolment, PasswordPolicy, RecoveryCodes, RecoverySet, Totp,
    TotpSecret,
};
use bartizan_testkit::SeededEntropy;

use crate::secret;

const CANARY: &str = "canary7c31correct";

#[test]
fn nothing_of_a_policy_shows_what_it_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = BreachedBuilder::new(folder.path());
    builder.add_password(CANARY).unwrap();
    let mut shown = format!("{builder:?}");
    let mut bytes = Vec::new();
    let summary = builder.finish(&mut bytes).unwrap();
    let filter = Arc::new(BreachedFilter::from_bytes(bytes).unwrap());
    let about = About::nobody().user_name(CANARY).email(&format!("{CANARY}@example.org"));
    let policy = PasswordPolicy::legacy_composition().with_words([CANARY]).with_breached(Arc::clone(&filter));
    shown += &format!("{summary:?} {filter:?} {about:?} {policy:?} {policy:#?}");
    for password in [CANARY, &CANARY.repeat(2), "canary7c31-Violet!Kettle", &CANARY.repeat(1_000)] {
        let assessment = policy.assess(&secret(password), &about).unwrap();
        shown += &format!("{assessment:?} {assessment:#?}");
        if let bartizan_passwords::Assessment::Refused(why) = assessment {
            shown += &format!("{why}");
        }
    }
    assert!(shown.contains("Accepted") && shown.contains("Breached") && shown.contains("TooLong"), "{shown}");
    assert!(!shown.to_lowercase().contains("canary"), "{shown}");
}

#[test]
fn nothing_of_a_second_factor_shows_its_secret() {
    let totp = || Totp::new(TotpSecret::from_bytes(SecretBytes::new(CANARY.as_bytes().to_vec())).unwrap());
    let base32 = totp().secret().to_base32();
    let enrolment = Enrolment::new(totp(), CANARY, CANARY).unwrap();
    let (uri, svg) = (enrolment.to_uri(), enrolment.to_qr_svg().unwrap());
    let mut shown = format!("{enrolment:?} {enrolment:#?} {uri:?} {svg:?} {:?}", totp());
    shown += &format!("{:?}", totp().verify(&secret("123456"), UnixTime::EPOCH, None));
    for uri in [uri.expose().replace("SHA1", CANARY), uri.expose().replace("secret=", "secret=x")] {
        let error = Enrolment::parse(&secret(&uri)).unwrap_err();
        shown += &format!("{error} {error:?}");
    }
    let error = TotpSecret::from_base32(&secret(CANARY)).unwrap_err();
    shown += &format!("{error} {error:?}");
    assert!(!shown.contains("canary") && !shown.contains(base32.expose()), "{shown}");

    let codes = RecoveryCodes::generate(&Ring::new(), &SeededEntropy::new(1)).unwrap();
    let text = codes.set().to_text();
    let error = RecoverySet::parse(&format!("{text}{CANARY}")).unwrap_err();
    let mut shown = format!("{codes:?} {codes:#?} {:?} {error} {error:?}", codes.set());
    for code in codes.iter() {
        shown += &format!("{code:?} {:?}", codes.set().redeem(&Ring::new(), code));
    }
    let parts = codes.iter().flat_map(|code| code.expose().split('-').map(str::to_owned));
    for hidden in parts.chain(text.split('$').skip(1).map(str::to_owned)).chain(["canary".to_owned()]) {
        assert!(!shown.contains(&hidden), "{hidden}: {shown}");
    }
}
