//! Keys in files: every form that OpenSSL writes is read, and nothing else is.

use std::{fs, path::PathBuf};

use bartizan_core::{Fault, RawToken};
use bartizan_crypto::{PublicKey, SignatureAlgorithm};
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;
use bartizan_testkit::SeededEntropy;
use bartizan_tokens::{
    Algorithm, Error, ErrorKind, KeySet, Limits, SigningKey, VerifyingKey, jws, key_file, parse,
};
use proptest::prelude::*;

/// A key, what it fits, and the forms of the files that hold it and its public half.
type Held = (&'static str, &'static [Algorithm], &'static [&'static str], &'static [&'static str]);

const KEYS: [Held; 6] = [
    ("ed25519", &[Algorithm::EdDsa], &["pkcs8"], &["spki"]),
    ("p256", &[Algorithm::Es256], &["pkcs8", "sec1"], &["spki"]),
    ("p384", &[Algorithm::Es384], &["pkcs8", "sec1"], &["spki"]),
    (
        "rsa",
        &[
            Algorithm::Ps256,
            Algorithm::Ps384,
            Algorithm::Ps512,
            Algorithm::Rs256,
            Algorithm::Rs384,
            Algorithm::Rs512,
        ],
        &["pkcs8", "pkcs1"],
        &["spki", "pkcs1-public"],
    ),
    ("rsa-pss", &[Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512], &["pkcs8"], &["spki"]),
    ("rsa-pss-sha256", &[Algorithm::Ps256], &["pkcs8"], &["spki"]),
];

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/openssl").join(name)
}

fn file(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn pem(name: &str) -> String {
    String::from_utf8(file(&format!("{name}.pem"))).unwrap()
}

/// The private key of a file in PEM and in DER, which are the same.
fn private(algorithm: Algorithm, name: &str) -> Result<SigningKey, Error> {
    let provider = Ring::new();
    let read = [
        key_file::private_from_pem(&provider, algorithm, &file(&format!("{name}.pem")))?,
        key_file::private_from_der(&provider, algorithm, &file(&format!("{name}.der")))?,
    ];
    let [pem, der] = read.map(|key| match algorithm.is_rsa_pkcs1() {
        true => SigningKey::danger_rsa_pkcs1(&provider, None, &key).unwrap(),
        false => SigningKey::from_private(&provider, None, &key).unwrap(),
    });
    assert_eq!(pem.to_private_jwk(), der.to_private_jwk(), "{name}");
    Ok(pem)
}

fn public(algorithm: Algorithm, name: &str) -> Result<PublicKey, Error> {
    let (pem, der) = (file(&format!("{name}.pem")), file(&format!("{name}.der")));
    let read = match name.ends_with("x509") {
        true => [
            key_file::danger_public_from_certificate_pem(algorithm, &pem)?,
            key_file::danger_public_from_certificate_der(algorithm, &der)?,
        ],
        false => [key_file::public_from_pem(algorithm, &pem)?, key_file::public_from_der(algorithm, &der)?],
    };
    let [pem, der] = read;
    assert_eq!(pem, der, "{name}");
    Ok(pem)
}

#[track_caller]
fn kind<T>(read: Result<T, Error>) -> ErrorKind {
    let error = read.err().expect("accepted");
    assert_eq!(error.fault(), Fault::Caller);
    error.kind()
}

#[test]
fn every_form_of_a_key_is_the_same_key_and_signs() {
    for (name, algorithms, private_forms, public_forms) in KEYS {
        for algorithm in algorithms {
            let first = private(*algorithm, &format!("{name}.{}", private_forms[0])).unwrap();
            assert_eq!(first.algorithm(), *algorithm);
            for form in private_forms {
                let key = private(*algorithm, &format!("{name}.{form}")).unwrap();
                assert_eq!(key.to_private_jwk(), first.to_private_jwk(), "{name}.{form}");
            }
            for form in public_forms.iter().chain(&["x509"]) {
                let key = public(*algorithm, &format!("{name}.{form}")).unwrap();
                assert_eq!(first.verifying().public(), Some(&key), "{name}.{form}");
            }
            let token = jws::sign(&first, None, b"payload").unwrap();
            let keys = KeySet::new([first.verifying()]).unwrap();
            let payload = jws::verify(&keys, RawToken::new(token.expose()), &Limits::DEFAULT).unwrap();
            assert_eq!((payload.as_bytes(), payload.algorithm()), (&b"payload"[..], *algorithm));
            let (_, signature) = token.expose().rsplit_once('.').unwrap();
            assert_eq!(
                signature.len(),
                (first.verifying().public().unwrap().signature_len() * 4).div_ceil(3)
            );
        }
    }
    let with_parameters = file("p256.sec1.with-parameters.pem");
    let key = key_file::private_from_pem(&Ring::new(), Algorithm::Es256, &with_parameters).unwrap();
    assert_eq!(*key.public(), public(Algorithm::Es256, "p256.spki").unwrap());
}

#[test]
fn a_key_fits_its_algorithms_and_no_other() {
    for (name, algorithms, private_forms, public_forms) in KEYS {
        for algorithm in Algorithm::ALL {
            let fits = algorithms.contains(&algorithm);
            let forms =
                |forms: &[&str]| forms.iter().map(|form| format!("{name}.{form}")).collect::<Vec<_>>();
            let read = forms(private_forms).into_iter().map(|file| private(algorithm, &file).map(|_| ()));
            let public_files = [forms(public_forms), vec![format!("{name}.x509")]].concat();
            let read = read.chain(public_files.iter().map(|file| public(algorithm, file).map(|_| ())));
            for read in read {
                assert_eq!(
                    read.map_err(|error| error.kind()),
                    if fits { Ok(()) } else { Err(ErrorKind::KeyUse) }
                );
            }
        }
        for form in private_forms.iter().chain(public_forms).chain(&["x509"]) {
            let only = (algorithms.len() == 1).then_some(algorithms[0]);
            for extension in ["pem", "der"] {
                let file = file(&format!("{name}.{form}.{extension}"));
                assert_eq!(key_file::algorithm_of(&file).unwrap(), only, "{name}.{form}");
                assert_eq!(key_file::is_pem(&file), extension == "pem");
            }
        }
    }
}

#[test]
fn refused_files_are_refused_for_the_reason_of_their_name() {
    let rsa = Algorithm::Ps256;
    for (name, algorithm, expected) in [
        ("refused.rsa-1024.pkcs8", rsa, ErrorKind::KeySize),
        ("refused.rsa-three-primes.pkcs8", rsa, ErrorKind::KeyUnsupported),
        ("refused.rsa-pss-sha1.pkcs8", rsa, ErrorKind::KeyUse),
        ("refused.rsa-pss-two-hashes.pkcs8", rsa, ErrorKind::KeyUse),
        ("refused.x25519.pkcs8", Algorithm::EdDsa, ErrorKind::KeyUnsupported),
        ("refused.ed448.pkcs8", Algorithm::EdDsa, ErrorKind::KeyUnsupported),
        ("refused.p521.sec1", Algorithm::Es384, ErrorKind::KeyUnsupported),
        ("refused.secp256k1.sec1", Algorithm::Es256, ErrorKind::KeyUnsupported),
        ("refused.p256-explicit-parameters.sec1", Algorithm::Es256, ErrorKind::KeyFormat),
        ("refused.p256-compressed.sec1", Algorithm::Es256, ErrorKind::KeyUnusable),
        ("refused.two-keys", Algorithm::Es256, ErrorKind::KeyFormat),
        ("p256.encrypted", Algorithm::Es256, ErrorKind::KeyEncrypted),
        ("rsa.pkcs1.encrypted", rsa, ErrorKind::KeyEncrypted),
    ] {
        let file = pem(name);
        assert_eq!(
            kind(SigningKey::from_pem(&Ring::new(), algorithm, None, file.as_bytes())),
            expected,
            "{name}"
        );
        assert!(VerifyingKey::from_pem(&Ring::new(), algorithm, None, file.as_bytes()).is_err(), "{name}");
        assert!(key_file::danger_public_from_certificate_pem(algorithm, file.as_bytes()).is_err(), "{name}");
    }
    let encrypted = file("p256.encrypted.der");
    assert_eq!(
        kind(SigningKey::from_der(&Ring::new(), Algorithm::Es256, None, &encrypted)),
        ErrorKind::KeyEncrypted
    );
    assert_eq!(kind(key_file::algorithm_of(&encrypted)), ErrorKind::KeyEncrypted);
    let chain = pem("refused.chain.x509");
    let read = key_file::danger_public_from_certificate_pem(Algorithm::Es256, chain.as_bytes());
    assert_eq!(kind(read), ErrorKind::KeyFormat);
}

#[test]
fn a_private_key_is_no_public_one_nor_the_other_way_round() {
    for (name, algorithms, private_forms, public_forms) in KEYS {
        let algorithm = algorithms[0];
        for form in private_forms {
            let (pem, der) = (file(&format!("{name}.{form}.pem")), file(&format!("{name}.{form}.der")));
            for read in [
                key_file::public_from_pem(algorithm, &pem),
                key_file::public_from_der(algorithm, &der),
                key_file::danger_public_from_certificate_pem(algorithm, &pem),
                key_file::danger_public_from_certificate_der(algorithm, &der),
            ] {
                assert_eq!(kind(read), ErrorKind::KeySecrecy, "{name}.{form}");
            }
        }
        for form in public_forms.iter().chain(&["x509"]) {
            let (pem, der) = (file(&format!("{name}.{form}.pem")), file(&format!("{name}.{form}.der")));
            assert_eq!(
                kind(key_file::private_from_pem(&Ring::new(), algorithm, &pem)),
                ErrorKind::KeySecrecy
            );
            assert_eq!(
                kind(key_file::private_from_der(&Ring::new(), algorithm, &der)),
                ErrorKind::KeySecrecy
            );
        }
        // A certificate says more than it is believed here, so it takes a function that says so.
        let certificate = file(&format!("{name}.x509.pem"));
        assert_eq!(kind(key_file::public_from_pem(algorithm, &certificate)), ErrorKind::KeyFormat);
        let key = file(&format!("{name}.spki.pem"));
        assert_eq!(kind(key_file::danger_public_from_certificate_pem(algorithm, &key)), ErrorKind::KeyFormat);
    }
}

#[test]
fn rsa_pkcs1_takes_a_constructor_of_its_own() {
    let provider = Ring::new();
    for (pss, pkcs1) in [
        (Algorithm::Ps256, Algorithm::Rs256),
        (Algorithm::Ps384, Algorithm::Rs384),
        (Algorithm::Ps512, Algorithm::Rs512),
    ] {
        let pem = pem("rsa.pkcs8");
        let refused = SigningKey::from_pem(&provider, pkcs1, None, pem.as_bytes());
        assert_eq!(kind(refused), ErrorKind::KeyRsaPkcs1);
        let key = key_file::private_from_pem(&provider, pkcs1, pem.as_bytes()).unwrap();
        assert_eq!(kind(SigningKey::from_private(&provider, None, &key)), ErrorKind::KeyRsaPkcs1);
        assert_eq!(kind(VerifyingKey::from_public(&provider, None, key.public())), ErrorKind::KeyRsaPkcs1);
        let signing = SigningKey::danger_rsa_pkcs1(&provider, None, &key).unwrap();
        let verifying = VerifyingKey::danger_rsa_pkcs1(&provider, None, key.public()).unwrap();
        assert_eq!((signing.algorithm(), verifying.algorithm()), (pkcs1, pkcs1));

        // The name says what it makes, and it makes nothing else.
        let key = key_file::private_from_pem(&provider, pss, pem.as_bytes()).unwrap();
        assert_eq!(kind(SigningKey::danger_rsa_pkcs1(&provider, None, &key)), ErrorKind::KeyUse);
        assert_eq!(kind(VerifyingKey::danger_rsa_pkcs1(&provider, None, key.public())), ErrorKind::KeyUse);

        // One key, one algorithm: what is signed under one padding does not verify under the other.
        let keys = KeySet::new([VerifyingKey::from_public(&provider, None, key.public()).unwrap()]).unwrap();
        let token = jws::sign(&signing, None, b"payload").unwrap();
        let refused = jws::verify(&keys, RawToken::new(token.expose()), &Limits::DEFAULT).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Algorithm);
    }
}

#[test]
fn a_file_is_one_block_with_text_before_it() {
    let good = pem("p256.pkcs8");
    let read = |file: &str| {
        SigningKey::from_pem(&Ring::new(), Algorithm::Es256, None, file.as_bytes())
            .map_err(|error| error.kind())
    };
    for file in [
        good.clone(),
        format!("\n{good}"),
        format!("Bag Attributes\n    friendlyName: k\n{good}"),
        format!("{good}\n\n  \n"),
        good.trim_end().to_owned(),
        good.replace('\n', "\r\n"),
    ] {
        assert!(read(&file).is_ok(), "{file}");
    }
    for file in [
        String::new(),
        "-----BEGIN PRIVATE KEY-----".into(),
        "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n".into(),
        format!("{good}{good}"),
        format!("{good}text behind it\n"),
        format!("text on the line {good}"),
        good.replacen("PRIVATE", "PUBLIC", 1),
        good.replace("PRIVATE KEY", "OPENSSH PRIVATE KEY"),
        good.replace("PRIVATE KEY", "ANY PRIVATE KEY"),
        good.replace("-----BEGIN PRIVATE", "-----BEGIN  PRIVATE"),
        good.replace("M", "M "),
        good.replacen('\n', "\nComment: x\n\n", 1),
        good.replace('A', "\u{0}"),
    ] {
        assert_eq!(read(&file).unwrap_err(), ErrorKind::KeyFormat, "{file}");
    }
    // The label says what stands in the block, or there is no key in it.
    for label in ["RSA PRIVATE KEY", "EC PRIVATE KEY"] {
        assert!(read(&good.replace("PRIVATE KEY", label)).is_err());
    }
    assert_eq!(read(&format!("{}{good}", "x\n".repeat(8 * 1024))).unwrap_err(), ErrorKind::KeyTooLarge);
    let large = vec![0x30; 16 * 1024 + 1];
    assert_eq!(kind(key_file::public_from_der(Algorithm::Ps256, &large)), ErrorKind::KeyTooLarge);
}

#[test]
fn what_is_written_is_what_openssl_writes() {
    for (name, algorithms, ..) in KEYS {
        let key = private(algorithms[0], &format!("{name}.pkcs8")).unwrap();
        let verifying = key.verifying();
        if !name.starts_with("rsa-pss") {
            assert_eq!(key.to_pem().unwrap().expose(), pem(&format!("{name}.pkcs8")), "{name}");
            assert_eq!(key.to_der().unwrap().expose(), file(&format!("{name}.pkcs8.der")));
            assert_eq!(verifying.to_pem().unwrap(), pem(&format!("{name}.spki")));
            assert_eq!(verifying.to_der().unwrap(), file(&format!("{name}.spki.der")));
        }
        let again = SigningKey::from_pem(
            &Ring::new(),
            algorithms[0],
            None,
            key.to_pem().unwrap().expose().as_bytes(),
        );
        assert_eq!(again.unwrap().to_private_jwk(), key.to_private_jwk());
    }
}

#[test]
fn a_symmetric_key_has_no_file_but_a_jwk() {
    for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
        let key = SigningKey::generate(&Ring::new(), algorithm, Some("k"), &SeededEntropy::new(1)).unwrap();
        assert_eq!(kind(key.to_pem()), ErrorKind::KeyUse);
        assert_eq!(kind(key.to_der()), ErrorKind::KeyUse);
        assert_eq!(kind(key.verifying().to_pem()), ErrorKind::KeySecrecy);
        assert_eq!(kind(key.verifying().to_der()), ErrorKind::KeySecrecy);
        let read = SigningKey::from_pem(&Ring::new(), algorithm, None, pem("ed25519.pkcs8").as_bytes());
        assert_eq!(kind(read), ErrorKind::KeyUse);
    }
}

#[test]
fn an_rsa_key_is_said_to_be_weak_for_a_reason() {
    let good = public(Algorithm::Ps256, "rsa.spki").unwrap();
    let (n, e) = good.rsa_numbers().unwrap();
    let shorter = |bits: usize| {
        let mut n = vec![0xff; bits.div_ceil(8)];
        n[0] = 0xff >> (n.len() * 8 - bits);
        n
    };
    let even = [&n[..255], &[n[255] ^ 1]].concat();
    for (n, e, expected) in [
        (n.to_vec(), e.to_vec(), None),
        (shorter(1024), vec![3], Some((ErrorKind::KeySize, "n"))),
        (shorter(2047), vec![3], Some((ErrorKind::KeySize, "n"))),
        (shorter(8193), vec![3], Some((ErrorKind::KeySize, "n"))),
        (even, vec![3], Some((ErrorKind::KeyWeak, "n"))),
        (roca(), vec![1, 0, 1], Some((ErrorKind::KeyWeak, "n"))),
        (n.to_vec(), vec![1], Some((ErrorKind::KeyWeak, "e"))),
        (n.to_vec(), vec![2], Some((ErrorKind::KeyWeak, "e"))),
        (n.to_vec(), vec![1, 0, 0], Some((ErrorKind::KeyWeak, "e"))),
        (n.to_vec(), vec![2, 0, 0, 0, 1], Some((ErrorKind::KeyWeak, "e"))),
        (n.to_vec(), n.to_vec(), Some((ErrorKind::KeyWeak, "e"))),
    ] {
        let read = key_file::public_from_der(Algorithm::Ps256, &pkcs1(&n, &e));
        assert_eq!(read.err().map(|error| (error.kind(), error.claim().unwrap())), expected);
    }
    // A zero, and a negative number.
    for n in [vec![], vec![0xff; 256]] {
        let mut file = pkcs1(&n, &[3]);
        if !n.is_empty() {
            file = der(0x30, &[der(0x02, &n), der(0x02, &[3])].concat());
        }
        assert_eq!(kind(key_file::public_from_der(Algorithm::Ps256, &file)), ErrorKind::KeyFormat);
    }
}

fn pkcs1(n: &[u8], e: &[u8]) -> Vec<u8> {
    let number = |bytes: &[u8]| {
        der(0x02, &[&[0][..usize::from(bytes.first().is_none_or(|b| *b > 0x7f))], bytes].concat())
    };
    der(0x30, &[number(n), number(e)].concat())
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let [.., high, low] = content.len().to_be_bytes();
    let length = match (high, low) {
        (0, 0..=0x7f) => vec![low],
        (0, _) => vec![0x81, low],
        _ => vec![0x82, high, low],
    };
    [&[tag], &length[..], content].concat()
}

/// An odd number of 2048 bits that is 1, and so a power of 65537, modulo every small prime that the check looks at.
pub(crate) fn roca() -> Vec<u8> {
    let primes = [11_u128, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];
    let product: u128 = primes.iter().product();
    let mut n = vec![0; 256];
    n[0] = 0x80;
    let residue = n.iter().fold(0, |residue, byte| (residue * 256 + u128::from(*byte)) % product);
    let add = (product + 1 - residue) % product;
    let add = if add.is_multiple_of(2) { add + product } else { add };
    n[240..].copy_from_slice(&add.to_be_bytes());
    n
}

#[test]
fn a_provider_that_lacks_an_algorithm_says_so_when_the_key_is_made() {
    let (rsa, provider) = (pem("rsa.pkcs8"), RustCrypto::new());
    for algorithm in [Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512] {
        let read = SigningKey::from_pem(&provider, algorithm, None, rsa.as_bytes());
        assert_eq!(kind(read), ErrorKind::KeyUnsupported);
        let read = VerifyingKey::from_pem(&provider, algorithm, None, pem("rsa.spki").as_bytes());
        assert_eq!(kind(read), ErrorKind::KeyUnsupported);
        for provider in [&provider as &dyn bartizan_crypto::Provider, &Ring::new()] {
            let made = SigningKey::generate(provider, algorithm, None, &SeededEntropy::new(1));
            assert_eq!(kind(made), ErrorKind::KeyUnsupported);
        }
    }
}

#[test]
fn nothing_that_is_said_of_a_file_shows_what_is_in_it() {
    for (name, algorithms, private_forms, _) in KEYS {
        for form in private_forms {
            let good = pem(&format!("{name}.{form}"));
            let lines: Vec<&str> = good.lines().filter(|line| !line.starts_with('-')).collect();
            for broken in [
                good.replace("PRIVATE KEY", "PUBLIC KEY"),
                good.replace('Z', "="),
                good[..good.len() - 40].to_owned(),
            ] {
                for algorithm in [algorithms[0], Algorithm::Hs256] {
                    let Err(error) = SigningKey::from_pem(&Ring::new(), algorithm, None, broken.as_bytes())
                    else {
                        continue;
                    };
                    let shown = format!("{error} {error:?} {error:#?}");
                    assert!(lines.iter().all(|line| !shown.contains(&line[..16.min(line.len())])), "{shown}");
                }
            }
        }
    }
}

fn mutated() -> impl Strategy<Value = (usize, usize, u8, bool)> {
    (any::<usize>(), any::<usize>(), 1..=255_u8, any::<bool>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_written_is_read_again(seed in any::<u64>(), which in 0..3_usize) {
        let algorithm = [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Es384][which];
        let provider = RustCrypto::new();
        let key = SigningKey::generate(&provider, algorithm, Some("k"), &SeededEntropy::new(seed)).unwrap();
        let (pem, der, jwk) = (key.to_pem().unwrap(), key.to_der().unwrap(), key.to_private_jwk());
        for again in [
            SigningKey::from_pem(&provider, algorithm, Some("k"), pem.expose().as_bytes()),
            SigningKey::from_der(&provider, algorithm, Some("k"), der.expose()),
            SigningKey::from_jwk(&provider, jwk.expose().as_bytes()),
        ] {
            prop_assert_eq!(&again.unwrap().to_private_jwk(), &jwk);
        }
        let public = key.verifying();
        let (pem, der, jwk) = (public.to_pem().unwrap(), public.to_der().unwrap(), public.to_public_jwk().unwrap());
        for again in [
            VerifyingKey::from_pem(&provider, algorithm, Some("k"), pem.as_bytes()),
            VerifyingKey::from_der(&provider, algorithm, Some("k"), &der),
            VerifyingKey::from_jwk(&provider, jwk.as_bytes()),
        ] {
            prop_assert_eq!(again.unwrap().to_public_jwk().unwrap(), jwk.clone());
        }
    }

    /// Whatever is changed or missing: it is refused or read, and never more than that; and what is read as a public key is one
    /// that is written as it was read.
    #[test]
    fn a_changed_file_is_read_or_refused((which, at, by, cut) in mutated()) {
        let files: Vec<PathBuf> = fs::read_dir(path("")).unwrap().map(|entry| entry.unwrap().path()).collect();
        let mut content = fs::read(&files[which % files.len()]).unwrap();
        let at = at % content.len();
        match cut {
            true => content.truncate(at),
            false => content[at] ^= by,
        }
        let _ = (parse::pem(&Ring::new(), &content), parse::der(&Ring::new(), &content));
        for algorithm in Algorithm::ALL {
            let read = [
                key_file::public_from_pem(algorithm, &content),
                key_file::public_from_der(algorithm, &content),
            ];
            for key in read.into_iter().flatten() {
                let again = key_file::public_to_der(&key).unwrap();
                prop_assert_eq!(key_file::public_from_der(algorithm, &again).unwrap(), key);
            }
        }
    }
}

#[test]
fn a_truncated_file_is_never_a_key() {
    for (name, algorithms, private_forms, public_forms) in KEYS {
        for form in private_forms.iter().chain(public_forms).chain(&["x509"]) {
            let file = file(&format!("{name}.{form}.der"));
            assert!(parse::der(&Ring::new(), &file).is_ok(), "{name}.{form}");
            for length in 0..file.len() {
                assert!(parse::der(&Ring::new(), &file[..length]).is_err(), "{name}.{form} {length}");
            }
            let longer = [&file[..], &[0]].concat();
            assert!(key_file::private_from_der(&Ring::new(), algorithms[0], &longer).is_err());
            assert!(key_file::public_from_der(algorithms[0], &longer).is_err());
            assert!(key_file::danger_public_from_certificate_der(algorithms[0], &longer).is_err());
        }
    }
}

#[test]
fn a_public_key_of_an_unknown_algorithm_is_not_written() {
    // All that can be made today are known; so this states that each of them is.
    let key = public(Algorithm::Ps256, "rsa.spki").unwrap();
    for algorithm in SignatureAlgorithm::ALL.into_iter().filter(|algorithm| algorithm.is_rsa()) {
        let same = PublicKey::new(algorithm, key.as_bytes()).unwrap();
        assert_eq!(key_file::public_to_der(&same).unwrap(), file("rsa.spki.der"));
    }
}
