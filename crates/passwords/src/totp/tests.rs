//! The published vectors.

use super::*;

fn secret(text: &str) -> TotpSecret {
    TotpSecret::from_bytes(SecretBytes::new(text.as_bytes().to_vec())).unwrap()
}

#[test]
fn rfc_4226_appendix_d() {
    let totp = Totp::new(secret("12345678901234567890"));
    let codes = [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871, 520_489];
    for (counter, code) in (0..).zip(codes) {
        assert_eq!(totp.code(counter), Some(code), "{counter}");
    }
}

/// The times and codes of appendix B; the secrets of 32 and 64 bytes are those of its program (errata 2866).
#[test]
fn rfc_6238_appendix_b() {
    let digits = "1234567890".repeat(7);
    for (time, sha1, sha256, sha512) in [
        (59, 94_287_082, 46_119_246, 90_693_936),
        (1_111_111_109, 7_081_804, 68_084_774, 25_091_201),
        (1_111_111_111, 14_050_471, 67_062_674, 99_943_326),
        (1_234_567_890, 89_005_924, 91_819_424, 93_441_116),
        (2_000_000_000, 69_279_037, 90_698_825, 38_618_901),
        (20_000_000_000_i64, 65_353_130, 77_737_706, 47_863_826),
    ] {
        for (hash, code) in [(TotpHash::Sha1, sha1), (TotpHash::Sha256, sha256), (TotpHash::Sha512, sha512)] {
            let totp = Totp::new(secret(&digits[..hash.length()])).hash(hash).digits(Digits::Eight);
            // The last time is beyond what a UnixTime tells: it is the step that is computed.
            let step = u64::try_from(time).unwrap() / PERIOD;
            assert_eq!(totp.code(step), Some(code), "{time} {hash:?}");
            if time > 9_000_000_000 {
                continue;
            }
            let typed = SecretText::new(format!("{code:08}"));
            let verified = totp.verify(&typed, UnixTime::from_secs(time), None);
            assert_eq!(verified, TotpVerification::Match(Step(step)));
        }
    }
}
