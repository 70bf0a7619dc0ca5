//! One-time codes, their enrolment, and the picture of it.

use std::time::Duration;

use bartizan_core::{SecretBytes, SecretText, UnixTime};
use bartizan_passwords::{
    Digits, Enrolment, ErrorKind, MAX_ENROLMENT_URI, Step, Totp, TotpHash, TotpSecret, TotpVerification,
};
use bartizan_testkit::{BrokenEntropy, RepeatingEntropy, SeededEntropy};
use proptest::prelude::*;

use crate::secret;

/// The secret of RFC 4226, whose codes are public.
fn totp() -> Totp {
    Totp::new(TotpSecret::from_bytes(SecretBytes::new(b"12345678901234567890".to_vec())).unwrap())
}

/// Codes of the steps 0 to 9: RFC 4226, appendix D.
const CODES: [&str; 10] =
    ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];

fn verify(totp: &Totp, code: &str, secs: i64, last: Option<u64>) -> TotpVerification {
    totp.verify(&secret(code), UnixTime::from_secs(secs), last.map(Step::from_number))
}

fn matched(step: u64) -> TotpVerification {
    TotpVerification::Match(Step::from_number(step))
}

#[test]
fn a_code_is_good_one_step_before_and_after_its_own_and_no_further() {
    let totp = totp();
    for (secs, answer) in [
        (119, TotpVerification::Mismatch),
        (120, matched(5)),
        (150, matched(5)),
        (179, matched(5)),
        (180, matched(5)),
        (209, matched(5)),
        (210, TotpVerification::Mismatch),
    ] {
        assert_eq!(verify(&totp, CODES[5], secs, None), answer, "{secs}");
    }
}

#[test]
fn asvs_6_5_5_without_drift_a_code_lives_for_its_own_30_seconds() {
    let strict = totp().without_drift();
    for (secs, answer) in [
        (149, TotpVerification::Mismatch),
        (150, matched(5)),
        (179, matched(5)),
        (180, TotpVerification::Mismatch),
    ] {
        assert_eq!(verify(&strict, CODES[5], secs, None), answer, "{secs}");
    }
}

#[test]
fn asvs_6_5_1_a_code_works_once_and_none_before_it_works_after() {
    let totp = totp();
    let TotpVerification::Match(step) = verify(&totp, CODES[5], 150, None) else { panic!("no match") };
    assert_eq!(verify(&totp, CODES[5], 150, Some(step.number())), TotpVerification::Reused);
    assert_eq!(verify(&totp, CODES[5], 180, Some(5)), TotpVerification::Reused);
    // Somebody saw the code before: it is within the drift, and over.
    assert_eq!(verify(&totp, CODES[4], 150, Some(5)), TotpVerification::Reused);
    assert_eq!(verify(&totp, CODES[6], 150, Some(5)), matched(6));
    // A clock that was set back revives none.
    assert_eq!(verify(&totp, CODES[4], 120, Some(5)), TotpVerification::Reused);
    assert_eq!(verify(&totp, "000000", 150, Some(5)), TotpVerification::Mismatch);
}

/// Of all that try one code at once, the compare-and-set on the step lets one in.
#[test]
fn of_many_logins_with_one_code_one_gets_in() {
    let (totp, stored) = (totp(), std::sync::Mutex::new(None::<u64>));
    let get_in = |code: &str| {
        let seen = *stored.lock().unwrap();
        let TotpVerification::Match(step) = verify(&totp, code, 150, seen) else { return 0 };
        let mut stored = stored.lock().unwrap();
        if stored.is_some_and(|last| last >= step.number()) {
            return 0;
        }
        *stored = Some(step.number());
        1
    };
    let entered: usize = std::thread::scope(|scope| {
        let logins: Vec<_> = (0..16).map(|_| scope.spawn(|| get_in(CODES[5]))).collect();
        logins.into_iter().map(|login| login.join().unwrap()).sum()
    });
    assert_eq!(entered, 1);
}

/// The time is an argument, and it is the service's: nothing that comes with a request is looked at.
#[test]
fn asvs_6_5_8_the_time_is_the_services() {
    let totp = totp();
    assert_eq!(verify(&totp, CODES[5], 150, None), matched(5));
    assert_eq!(verify(&totp, CODES[5], 150 + 3_600, None), TotpVerification::Mismatch);
    assert_eq!(verify(&totp, CODES[0], -1, None), matched(0));
    assert_eq!(verify(&totp, CODES[0], i64::MIN, None), matched(0));
    let _ = verify(&totp, CODES[0], i64::MAX, None);
}

#[test]
fn codes_are_read_with_spaces_and_in_no_other_way() {
    let totp = totp();
    for code in ["254676", "254 676", " 25 46 76 ", "2 5 4 6 7 6"] {
        assert_eq!(verify(&totp, code, 150, None), matched(5), "{code}");
    }
    for code in [
        "",
        "25467",
        "0254676",
        "254676x",
        "254-676",
        "+254676",
        "254676\n",
        "２５４６７６",
        "254676                                      ",
        "4295221972",
        "254677",
        "154676",
    ] {
        assert_eq!(verify(&totp, code, 150, None), TotpVerification::Mismatch, "{code}");
    }
    assert_eq!(verify(&totp, &"2".repeat(1_000_000), 150, None), TotpVerification::Mismatch);
}

#[test]
fn a_code_of_another_length_or_hash_is_another_code() {
    // RFC 6238, appendix B, at 59 seconds.
    let eight = totp().digits(Digits::Eight);
    assert_eq!(verify(&eight, "94287082", 59, None), matched(1));
    assert_eq!(verify(&eight, "287082", 59, None), TotpVerification::Mismatch);
    assert_eq!(verify(&totp(), "287082", 59, None), matched(1));
    assert_eq!(verify(&totp(), "94287082", 59, None), TotpVerification::Mismatch);
    assert_eq!(verify(&totp().hash(TotpHash::Sha256), "287082", 59, None), TotpVerification::Mismatch);
}

#[test]
fn asvs_6_5_3_secrets_have_160_bits_of_the_given_randomness() {
    for (hash, length) in [(TotpHash::Sha1, 20), (TotpHash::Sha256, 32), (TotpHash::Sha512, 64)] {
        let drawn = TotpSecret::generate(&RepeatingEntropy::of([1, 2, 3]), hash).unwrap();
        let bytes: Vec<u8> = [1, 2, 3].into_iter().cycle().take(length).collect();
        assert_eq!(drawn.expose(), bytes);
        let error = TotpSecret::generate(&BrokenEntropy, hash).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Entropy);
    }
    let entropy = SeededEntropy::new(1);
    let (one, other) =
        (TotpSecret::generate(&entropy, TotpHash::Sha1), TotpSecret::generate(&entropy, TotpHash::Sha1));
    assert_ne!(one.unwrap(), other.unwrap());
}

#[test]
fn a_code_of_six_digits_is_the_least() {
    for (digits, length) in [(Digits::Six, 6), (Digits::Eight, 8)] {
        let totp = totp().digits(digits);
        let accepted: Vec<usize> = (1..=9)
            .filter(|length| {
                let code = format!("{:0>9}", "94287082");
                verify(&totp, &code[9 - length..], 59, None) != TotpVerification::Mismatch
            })
            .collect();
        // RFC 4226 section 4 R4: at least six.
        assert_eq!(accepted, [length]);
    }
}

#[test]
fn secrets_from_elsewhere_have_16_to_64_bytes_and_one_spelling() {
    for (length, is_secret) in [(0, false), (10, false), (15, false), (16, true), (64, true), (65, false)] {
        let bytes = SecretBytes::new(vec![7; length]);
        assert_eq!(TotpSecret::from_bytes(bytes).is_ok(), is_secret, "{length}");
    }
    let base32 = totp().secret().to_base32();
    assert_eq!(base32.expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    assert_eq!(&TotpSecret::from_base32(&base32).unwrap(), totp().secret());
    for refused in [
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ",
        "gezdgnbvgy3tqojqgezdgnbvgy3tqojq",
        "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ",
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1",
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ====",
        "GEZDGNBV",
        "",
    ] {
        let error = TotpSecret::from_base32(&secret(refused)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OtpSecret, "{refused}");
    }
    assert!(TotpSecret::from_base32(&secret(&"A".repeat(1_000_000))).is_err());
}

const URI: &str = "otpauth://totp/Clinic%20North:ada%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Clinic%20North&algorithm=SHA1&digits=6&period=30";

#[test]
fn an_enrolment_is_one_uri_whoever_makes_it() {
    let enrolment = Enrolment::new(totp(), "Clinic North", "ada@example.org").unwrap();
    assert_eq!(enrolment.to_uri().expose(), URI);
    let read = Enrolment::parse(&secret(URI)).unwrap();
    assert_eq!(read, enrolment);
    assert_eq!((read.issuer(), read.account()), ("Clinic North", "ada@example.org"));
    assert_eq!(read.into_totp(), totp());
    // In another order, without what goes without saying, and with what others do not encode.
    for uri in [
        "otpauth://totp/Clinic%20North:ada@example.org?issuer=Clinic%20North&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "otpauth://totp/Clinic%20North:%61da%40example.org?period=30&digits=6&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Clinic%20North",
    ] {
        assert_eq!(Enrolment::parse(&secret(uri)).unwrap(), enrolment, "{uri}");
    }
    let other =
        Enrolment::new(totp().hash(TotpHash::Sha512).digits(Digits::Eight), "Ü&?=%#", "a b+c/d").unwrap();
    let uri = other.to_uri();
    assert!(
        uri.expose().starts_with("otpauth://totp/%C3%9C%26%3F%3D%25%23:a%20b%2Bc%2Fd?secret="),
        "{}",
        uri.expose()
    );
    assert!(uri.expose().ends_with("&algorithm=SHA512&digits=8&period=30"));
    assert_eq!(Enrolment::parse(&uri).unwrap(), other);
}

#[test]
fn uris_of_another_form_are_refused() {
    for (from, to) in [
        ("otpauth://totp/", "otpauth://hotp/"),
        ("otpauth://totp/", "OTPAUTH://totp/"),
        ("otpauth://totp/", "https://totp/"),
        ("Clinic%20North:ada", "ada"),
        ("Clinic%20North:", ":"),
        ("ada%40example.org", ""),
        ("Clinic%20North:ada", "Clinic%20North:x:ada"),
        ("Clinic%20North:ada", "Clinic%20North%3Ax:ada"),
        ("Clinic%20North:", "Clinic North:"),
        ("Clinic%20North:", "Clinic+North:"),
        ("Clinic%20North:", "Clinic%2North:"),
        ("Clinic%20North:", "Clinic%FFNorth:"),
        ("Clinic%20North:", "Clinic%00North:"),
        ("Clinic%20North:", "Other:"),
        ("issuer=Clinic%20North", "issuer=Other"),
        ("&issuer=Clinic%20North", ""),
        ("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&", ""),
        ("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "secret=GEZDGNBVGY3TQOJQ"),
        ("secret=GEZDGNBV", "secret=gezdgnbv"),
        ("&digits=6", "&digits=6&digits=6"),
        ("&digits=6", "&digits=7"),
        ("&digits=6", "&digits=06"),
        ("&digits=6", "&digits"),
        ("&digits=6", "&image=https%3A%2F%2Fexample.org%2Fx.png"),
        ("&digits=6", "&"),
        ("&period=30", "&period=60"),
        ("&period=30", "&period=30#x"),
        ("algorithm=SHA1", "algorithm=MD5"),
        ("algorithm=SHA1", "algorithm=sha1"),
        ("algorithm=SHA1", "Algorithm=SHA1"),
    ] {
        let uri = URI.replacen(from, to, 1);
        assert_ne!(uri, URI);
        assert_eq!(Enrolment::parse(&secret(&uri)).unwrap_err().kind(), ErrorKind::Uri, "{uri}");
    }
    assert!(Enrolment::parse(&secret(&URI.repeat(100_000))).is_err());
    assert!(Enrolment::parse(&secret("")).is_err());
}

#[test]
fn labels_that_an_app_cannot_show_are_refused() {
    for label in ["", "a:b", "a\nb", "a\0b", "a\u{85}b"] {
        for (issuer, account) in [(label, "ada"), ("Clinic", label)] {
            let error = Enrolment::new(totp(), issuer, account).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Label, "{issuer:?} {account:?}");
        }
    }
    assert!(Enrolment::new(totp(), &"x".repeat(65), "ada").is_err());
    assert!(Enrolment::new(totp(), "Clinic", &"x".repeat(257)).is_err());
}

#[test]
fn the_longest_enrolment_has_a_uri_and_a_picture() {
    let secret = TotpSecret::generate(&SeededEntropy::new(3), TotpHash::Sha512).unwrap();
    let totp = Totp::new(secret).hash(TotpHash::Sha512).digits(Digits::Eight);
    let enrolment = Enrolment::new(totp, &"\u{1f511}".repeat(16), &"\u{1f511}".repeat(64)).unwrap();
    let uri = enrolment.to_uri();
    assert!(uri.expose().len() <= MAX_ENROLMENT_URI, "{}", uri.expose().len());
    assert_eq!(Enrolment::parse(&uri).unwrap(), enrolment);
    assert_eq!(scanned(enrolment.to_qr_svg().unwrap().expose()), uri.expose());
}

#[test]
fn the_picture_is_read_by_another_implementation() {
    let enrolment = Enrolment::new(totp(), "Clinic North", "ada@example.org").unwrap();
    assert_eq!(scanned(enrolment.to_qr_svg().unwrap().expose()), URI);
}

/// SECURITY: it goes into a page as it is.
#[test]
fn the_picture_holds_nothing_but_a_title_and_shapes() {
    let enrolment = Enrolment::new(totp(), "<script>x</script>", "\"><img src=x onerror=y>").unwrap();
    let svg = enrolment.to_qr_svg().unwrap();
    let svg = svg.expose();
    let (tags, title) = (svg.matches('<').count(), "QR code that adds this account to an authenticator app");
    assert_eq!(tags, 6, "{svg}");
    for part in
        ["<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"", "<title>", "<rect", "<path", "</svg>"]
    {
        assert_eq!(svg.matches(part).count(), 1, "{part}");
    }
    assert_eq!(svg.matches(title).count(), 2);
    for never in ["script", "style=", "onerror", "href", "Clinic", "&", "GEZDGNBV"] {
        assert!(!svg.contains(never), "{never}");
    }
}

/// Draws the path as a browser does, six pixels a module, and reads it with rqrr.
fn scanned(svg: &str) -> String {
    let after = |text: &str, mark: &str| text.split_once(mark).unwrap().1.to_owned();
    let number = |text: &str| {
        text.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<usize>().unwrap()
    };
    let whole = number(&after(svg, "viewBox=\"0 0 "));
    let mut dark = vec![vec![false; whole]; whole];
    for piece in after(svg, "d=\"").split_once('"').unwrap().0.split('M').skip(1) {
        let (x, y, run) = (number(piece), number(&after(piece, " ")), number(&after(piece, "h")));
        assert_eq!(piece, format!("{x} {y}h{run}v1h-{run}z"));
        dark[y][x..x + run].fill(true);
    }
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(6 * whole, 6 * whole, |x, y| {
        if dark[y / 6][x / 6] { 0 } else { 255 }
    });
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1);
    grids[0].decode().unwrap().1
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn an_enrolment_is_read_as_it_was_written(
        bytes in proptest::collection::vec(any::<u8>(), 16..=64), issuer in "[^:\\p{Cc}]{1,16}", account in "[^:\\p{Cc}]{1,64}",
        hash in 0..3, eight in any::<bool>(),
    ) {
        let hash = [TotpHash::Sha1, TotpHash::Sha256, TotpHash::Sha512][usize::try_from(hash).unwrap()];
        let digits = if eight { Digits::Eight } else { Digits::Six };
        let totp = Totp::new(TotpSecret::from_bytes(SecretBytes::new(bytes)).unwrap()).hash(hash).digits(digits);
        let enrolment = Enrolment::new(totp, &issuer, &account).unwrap();
        let uri = enrolment.to_uri();
        prop_assert!(uri.expose().len() <= MAX_ENROLMENT_URI && uri.expose().is_ascii());
        prop_assert_eq!(Enrolment::parse(&uri).unwrap(), enrolment);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "(otpauth://totp/|[a:?&=%2]|secret=|issuer=|GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ|\\PC){0,20}") {
        if let Ok(enrolment) = Enrolment::parse(&SecretText::new(text)) {
            prop_assert_eq!(Enrolment::parse(&enrolment.to_uri()).unwrap(), enrolment);
        }
    }

    /// Whatever is stored and whatever time it is: a match is newer than what was used, and within the drift.
    #[test]
    fn a_match_is_new_and_of_now(secs in 0_i64..400, last in proptest::option::of(0_u64..14), code in 0_usize..10) {
        let now = Step::at(UnixTime::EPOCH.saturating_add(Duration::from_secs(u64::try_from(secs).unwrap()))).number();
        match verify(&totp(), CODES[code], secs, last) {
            TotpVerification::Match(step) => {
                prop_assert_eq!(step.number(), code as u64);
                prop_assert!(step.number().abs_diff(now) <= 1 && last.is_none_or(|last| step.number() > last));
            }
            TotpVerification::Reused => prop_assert!(last.unwrap() >= code as u64),
            TotpVerification::Mismatch => prop_assert!((code as u64).abs_diff(now) > 1),
        }
    }
}
