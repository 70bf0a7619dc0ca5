//! Enrolment URIs: what is read is written and read again as the same enrolment.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_core::SecretText;
use bartizan_passwords::{Enrolment, MAX_ENROLMENT_URI};

fuzz_target!(|text: &str| {
    let Ok(enrolment) = Enrolment::parse(&SecretText::new(text.to_owned())) else { return };
    assert!(text.len() <= MAX_ENROLMENT_URI && text.is_ascii());
    let uri = enrolment.to_uri();
    assert!(uri.expose().len() <= MAX_ENROLMENT_URI);
    assert!(Enrolment::parse(&uri).is_ok_and(|again| again == enrolment));
    assert!(enrolment.to_qr_svg().is_ok());
});
