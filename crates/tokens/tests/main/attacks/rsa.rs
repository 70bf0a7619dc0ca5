//! Rows 1 to 3, 8 and 9 again, for RSA and P-384; and row 24, which is of RSA alone.

use std::fs;

use bartizan_core::{RawToken, SecretBytes};
use bartizan_crypto::{MacAlgorithm, PrivateKey, Provider};
use bartizan_crypto_ring::Ring;
use bartizan_testkit::SeededEntropy;
use bartizan_tokens::{
    Algorithm, ErrorKind, KeyRules, KeySet, Limits, SigningKey, VerifyingKey, jws, key_file,
};

use crate::support::{KID, decode, encode, providers};

const PAYLOAD: &str = "{}";

fn fixture(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/fixtures/openssl/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn private(algorithm: Algorithm) -> PrivateKey {
    key_file::private_from_pem(&Ring::new(), algorithm, &fixture("rsa.pkcs8.pem")).unwrap()
}

fn keys(algorithm: Algorithm) -> KeySet {
    let public = key_file::public_from_pem(algorithm, &fixture("rsa.spki.pem")).unwrap();
    let key = match algorithm.is_rsa_pkcs1() {
        true => VerifyingKey::danger_rsa_pkcs1(&Ring::new(), Some(KID), &public),
        false => VerifyingKey::from_public(&Ring::new(), Some(KID), &public),
    };
    KeySet::new([key.unwrap()]).unwrap()
}

fn signed(alg: &str) -> String {
    format!("{}.{}", encode(format!(r#"{{"alg":"{alg}","kid":"{KID}"}}"#)), encode(PAYLOAD))
}

fn verdict(keys: &KeySet, signed: &str, signature: &[u8]) -> Result<(), ErrorKind> {
    let token = format!("{signed}.{}", encode(signature));
    jws::verify(keys, RawToken::new(&token), &Limits::DEFAULT).map(|_| ()).map_err(|error| error.kind())
}

fn rsa_signature(algorithm: Algorithm, signed: &str) -> Vec<u8> {
    Ring::new().signer(&private(algorithm)).unwrap().sign(signed.as_bytes()).unwrap()
}

const RSA: [Algorithm; 6] = [
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
];

/// The RSA public key in every form that has been passed off as a secret.
fn public_key_files() -> Vec<Vec<u8>> {
    let names = [
        "rsa.spki.pem",
        "rsa.spki.der",
        "rsa.pkcs1-public.pem",
        "rsa.pkcs1-public.der",
        "rsa.x509.pem",
        "rsa.x509.der",
        "rsa-pss-sha256.spki.pem",
        "rsa-pss-sha256.spki.der",
    ];
    let mut files: Vec<Vec<u8>> = names.iter().map(|name| fixture(name)).collect();
    let pem = String::from_utf8(fixture("rsa.spki.pem")).unwrap();
    let jwk = keys(Algorithm::Ps256).keys().next().unwrap().to_public_jwk().unwrap();
    let texts = [
        format!("  {pem}"),
        pem.trim_end().to_owned(),
        pem.replace('\n', "\r\n"),
        encode(fixture("rsa.spki.der")),
        jwk.clone(),
        format!(r#"{{"keys":[{jwk}]}}"#),
    ];
    files.extend(texts.map(String::into_bytes));
    files
}

#[test]
fn row_01_alg_none_is_refused_beside_an_rsa_key() {
    for algorithm in RSA {
        let keys = keys(algorithm);
        let good = signed(algorithm.name());
        assert_eq!(verdict(&keys, &good, &rsa_signature(algorithm, &good)), Ok(()));
        for alg in ["none", "None", "", "RS1", "PS", &algorithm.name().to_lowercase()] {
            let signed = signed(alg);
            for signature in [vec![], vec![0; 256], rsa_signature(algorithm, &signed)] {
                assert_eq!(verdict(&keys, &signed, &signature), Err(ErrorKind::Algorithm), "{alg}");
            }
        }
    }
}

/// CVE-2015-9235, CVE-2026-34950, CVE-2026-48526.
#[test]
fn row_02_an_rsa_public_key_used_as_a_secret_signs_nothing() {
    for algorithm in RSA {
        let keys = keys(algorithm);
        for secret in public_key_files() {
            for (name, mac) in [("HS256", MacAlgorithm::HmacSha256), ("HS512", MacAlgorithm::HmacSha512)] {
                let mac = Ring::new().mac(mac, &secret).unwrap();
                let tag = |signed: &str| mac.tag(&[signed.as_bytes()]).as_bytes().to_vec();
                let (confused, own) = (signed(name), signed(algorithm.name()));
                assert_eq!(verdict(&keys, &confused, &tag(&confused)), Err(ErrorKind::Algorithm));
                assert_eq!(verdict(&keys, &own, &tag(&own)), Err(ErrorKind::Signature));
            }
        }
    }
}

#[test]
fn row_02_rsa_and_p384_key_files_are_no_secrets() {
    let mut files = public_key_files();
    for name in ["p384.spki.pem", "p384.spki.der", "p384.x509.der", "p384.sec1.der", "p384.pkcs8.der"] {
        files.push(fixture(name));
    }
    let point = key_file::public_from_pem(Algorithm::Es384, &fixture("p384.spki.pem")).unwrap();
    files.extend([point.as_bytes().to_vec(), encode(point.as_bytes()).into_bytes()]);
    for provider in providers() {
        for file in &files {
            for algorithm in [Algorithm::Hs256, Algorithm::Hs512] {
                let made = SigningKey::hmac(&*provider, algorithm, KID, &SecretBytes::new(file.clone()));
                // What is over 1,024 bytes is no secret for that alone.
                let expected = if file.len() > 1_024 { ErrorKind::Config } else { ErrorKind::SecretIsKey };
                assert_eq!(made.unwrap_err().kind(), expected, "{}", String::from_utf8_lossy(file));
            }
        }
    }
}

#[test]
fn row_03_one_rsa_key_has_one_algorithm() {
    for of_key in RSA {
        let keys = keys(of_key);
        for of_token in RSA {
            let named = signed(of_token.name());
            let expected = if of_key == of_token { Ok(()) } else { Err(ErrorKind::Algorithm) };
            assert_eq!(verdict(&keys, &named, &rsa_signature(of_token, &named)), expected);
            // Under the key's name the other padding or hash is no signature.
            let own = signed(of_key.name());
            let expected = if of_key == of_token { Ok(()) } else { Err(ErrorKind::Signature) };
            assert_eq!(verdict(&keys, &own, &rsa_signature(of_token, &own)), expected);
        }
    }
}

#[test]
fn row_04_an_rsa_private_key_in_a_public_set_is_a_leak() {
    let key = SigningKey::from_private(&Ring::new(), Some(KID), &private(Algorithm::Ps256)).unwrap();
    let set = format!(r#"{{"keys":[{}]}}"#, key.to_private_jwk().expose());
    for rules in [KeyRules::strict(), KeyRules::strict().danger_rsa_pkcs1()] {
        let refused = KeySet::from_jwks_with(&Ring::new(), set.as_bytes(), &rules).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::KeySecrecy);
    }
}

/// The order of P-384.
const N: &str =
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973";

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// CVE-2022-21449.
#[test]
fn row_08_psychic_and_misshapen_es384_signatures_are_refused() {
    for provider in providers() {
        let key =
            SigningKey::generate(&*provider, Algorithm::Es384, Some(KID), &SeededEntropy::new(8)).unwrap();
        let keys = KeySet::new([key.verifying()]).unwrap();
        let token = jws::sign(&key, None, PAYLOAD.as_bytes()).unwrap();
        let (signed, signature) = token.expose().rsplit_once('.').unwrap();
        let good = decode(signature);
        assert_eq!((good.len(), verdict(&keys, signed, &good)), (96, Ok(())));
        let one = [vec![0; 47], vec![1]].concat();
        let minus_one = hex(&N.replace("2973", "2972"));
        let numbers = [vec![0; 48], one, minus_one, hex(N), vec![0xff; 48]];
        for r in &numbers {
            for s in &numbers {
                assert_eq!(verdict(&keys, signed, &[r.as_slice(), s].concat()), Err(ErrorKind::Signature));
            }
        }
        let (r, s) = good.split_at(48);
        for bytes in [
            [&[0x30, 0x66, 0x02, 0x31, 0x00], r, &[0x02, 0x31, 0x00], s].concat(),
            good[..95].to_vec(),
            good[..64].to_vec(),
            [&good[..], &[0]].concat(),
            [&[0], r, &[0], s].concat(),
            vec![],
        ] {
            assert_eq!(verdict(&keys, signed, &bytes), Err(ErrorKind::Signature));
        }
    }
}

#[test]
fn row_08_degenerate_rsa_signatures_are_refused() {
    let public = key_file::public_from_pem(Algorithm::Ps256, &fixture("rsa.spki.pem")).unwrap();
    let (n, _) = public.rsa_numbers().unwrap();
    let mut below = n.to_vec();
    below[255] -= 1;
    for algorithm in RSA {
        let (keys, signed) = (keys(algorithm), signed(algorithm.name()));
        let one = [vec![0; 255], vec![1]].concat();
        for bytes in [vec![0; 256], one, n.to_vec(), below.clone(), vec![0xff; 256], vec![0x80], vec![]] {
            assert_eq!(verdict(&keys, &signed, &bytes), Err(ErrorKind::Signature));
        }
    }
}

/// A signature is a number below the modulus: the same with the modulus added is none.
#[test]
fn row_09_an_rsa_signature_plus_the_modulus_is_refused() {
    let public = key_file::public_from_pem(Algorithm::Ps256, &fixture("rsa.spki.pem")).unwrap();
    let (n, _) = public.rsa_numbers().unwrap();
    for algorithm in RSA {
        let (keys, signed) = (keys(algorithm), signed(algorithm.name()));
        let good = rsa_signature(algorithm, &signed);
        let mut sum = good.clone();
        let mut carry = 0;
        for (byte, add) in sum.iter_mut().zip(n).rev() {
            let both = u16::from(*byte) + u16::from(*add) + carry;
            *byte = both.to_be_bytes()[1];
            carry = both >> 8;
        }
        assert_eq!(verdict(&keys, &signed, &good), Ok(()));
        // With the byte that was carried, and without it.
        let longer = [&[carry.to_be_bytes()[1]], &sum[..]].concat();
        for bytes in [longer, sum] {
            assert_eq!(verdict(&keys, &signed, &bytes), Err(ErrorKind::Signature));
        }
    }
}

/// Paddings that some verifiers have taken (CVE-2006-4339 and its many returns). The reasons are the names of the files.
#[test]
fn row_24_a_signature_with_another_padding_is_refused() {
    let folder = format!("{}/tests/fixtures/rsa-padding", env!("CARGO_MANIFEST_DIR"));
    let (mut good, mut refused) = (0, 0);
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|extension| extension != "jwt") {
            continue;
        }
        let token = fs::read_to_string(&path).unwrap();
        let algorithm = if name.starts_with("rs256") { Algorithm::Rs256 } else { Algorithm::Ps256 };
        let verified = jws::verify(&keys(algorithm), RawToken::new(token.trim_end()), &Limits::DEFAULT);
        match verified {
            Ok(payload) => {
                assert!(name.ends_with("-good") && payload.as_bytes() == b"{}", "{name}");
                good += 1;
            }
            Err(error) => {
                assert_eq!((error.kind(), name.ends_with("-good")), (ErrorKind::Signature, false), "{name}");
                refused += 1;
            }
        }
    }
    assert_eq!((good, refused), (2, 13));
}
