//! Keys as bytes, before a provider prepares them.

use std::{fmt, ops::Range};

use bartizan_core::SecretBytes;

use crate::{Error, ErrorKind, RsaFault, SignatureAlgorithm, rsa};

/// A public key: one algorithm and its bytes.
///
/// Ed25519: the 32 bytes of RFC 8032. P-256 and P-384: the uncompressed point of SEC 1, `04 ‖ x ‖ y`, 65 or 97 bytes. RSA: the
/// `RSAPublicKey` of RFC 8017 §A.1.1, DER. Here is checked what needs no arithmetic of curves: length and form, that an Ed25519
/// key is encoded canonically and not of small order, and what an RSA key must be; a provider checks the rest when it prepares
/// the key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    algorithm: SignatureAlgorithm,
    bytes: Box<[u8]>,
    /// Where modulus and exponent stand in the bytes of an RSA key.
    rsa: Option<(Range<usize>, Range<usize>)>,
}

impl PublicKey {
    /// From the bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Key`] when length or form do not fit, an Ed25519 key is of small order or encoded non-canonically, or an
    /// RSA key is none of [`PublicKey::rsa`].
    pub fn new(algorithm: SignatureAlgorithm, bytes: &[u8]) -> Result<Self, Error> {
        let Some(length) = algorithm.public_len() else {
            let (n, e) = rsa::decode(bytes).ok_or(ErrorKind::Key)?;
            return Self::rsa(algorithm, n, e);
        };
        let fits = bytes.len() == length
            && match algorithm {
                SignatureAlgorithm::Ed25519 => bytes.first_chunk().is_some_and(is_good_ed25519),
                _ => bytes.first() == Some(&4),
            };
        if fits { Ok(Self { algorithm, bytes: bytes.into(), rsa: None }) } else { Err(ErrorKind::Key.into()) }
    }

    /// An RSA key from modulus and exponent, big endian without leading zeros.
    ///
    /// # Errors
    /// [`ErrorKind::Key`] for a modulus of under 2048 or over 8192 bits, an even one, one of the shape of ROCA
    /// (CVE-2017-15361), or an exponent that is even, under 3 or over 2^33 − 1; [`ErrorKind::Unsupported`] for an
    /// algorithm that is not of RSA.
    pub fn rsa(algorithm: SignatureAlgorithm, n: &[u8], e: &[u8]) -> Result<Self, Error> {
        if !algorithm.is_rsa() {
            return Err(ErrorKind::Unsupported.into());
        }
        if rsa::fault(n, e).is_some() {
            return Err(ErrorKind::Key.into());
        }
        let bytes = rsa::encode(n, e);
        // INVARIANT(rsa-places): the encoding ends with the exponent, before which stand its tag, its length and the modulus.
        // An exponent has at most 5 bytes, and its first bit is set in none that is good and has a sign byte of its own.
        let exponent = bytes.len() - e.len()..bytes.len();
        let sign = usize::from(e.first().is_some_and(|byte| byte & 0x80 != 0));
        let modulus_end = exponent.start - sign - 2;
        let modulus = modulus_end - n.len()..modulus_end;
        Ok(Self { algorithm, bytes: bytes.into(), rsa: Some((modulus, exponent)) })
    }

    /// What [`PublicKey::rsa`] would refuse these numbers for.
    #[must_use]
    pub fn rsa_fault(n: &[u8], e: &[u8]) -> Option<RsaFault> {
        rsa::fault(n, e)
    }

    /// The algorithm; a key has exactly one.
    #[must_use]
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Modulus and exponent of an RSA key, big endian without leading zeros.
    #[must_use]
    pub fn rsa_numbers(&self) -> Option<(&[u8], &[u8])> {
        let (n, e) = self.rsa.clone()?;
        Some((self.bytes.get(n)?, self.bytes.get(e)?))
    }

    /// Length of a signature under this key, in bytes.
    #[must_use]
    pub fn signature_len(&self) -> usize {
        match self.algorithm.signature_len() {
            Some(length) => length,
            None => self.rsa.as_ref().map_or(0, |(modulus, _)| modulus.len()),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?})", self.algorithm)
    }
}

/// A private key: one algorithm, its secret bytes, and its public half.
///
/// Ed25519: the seed of RFC 8032, 32 bytes. P-256 and P-384: the scalar, big endian, 32 or 48 bytes. RSA: the `RSAPrivateKey`
/// of RFC 8017 §A.1.2 with two primes, DER.
pub struct PrivateKey {
    secret: SecretBytes,
    public: PublicKey,
}

impl PrivateKey {
    /// From both halves. A provider refuses them when they do not belong together.
    #[must_use]
    pub fn new(secret: impl Into<SecretBytes>, public: PublicKey) -> Self {
        Self { secret: secret.into(), public }
    }

    /// The algorithm; a key has exactly one.
    #[must_use]
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.public.algorithm
    }

    /// The secret half.
    #[must_use]
    pub const fn secret(&self) -> &SecretBytes {
        &self.secret
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({:?})", self.public.algorithm)
    }
}

/// Whether y is below p = 2^255 − 19 (RFC 8032 §5.1.3, step 1) and the point not of small order.
///
/// SECURITY: libraries disagree about y from p on, and about no other encoding; without them all verifiers judge alike.
fn is_good_ed25519(bytes: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = bytes;
    let below_p = *first < 0xed || middle.iter().any(|byte| *byte != 0xff) || last & 0x7f != 0x7f;
    below_p && !is_small_order_ed25519(bytes)
}

/// Whether these bytes encode a point of order 1, 2, 4 or 8 of edwards25519, canonically or not. For providers, which refuse
/// such keys and such `R` of signatures.
///
/// # Security
/// Under such a key one signature fits many messages (“Taming the many EdDSAs”, 2020, section 5.1).
#[must_use]
pub fn is_small_order_ed25519(bytes: &[u8; 32]) -> bool {
    let [rest @ .., last] = bytes;
    SMALL_ORDER_Y.iter().any(|[y_rest @ .., y_last]| y_rest == rest && *y_last == last & 0x7f)
}

/// 0, 1, the two y of order 8, p − 1, and the non-canonical p and p + 1; little endian.
const SMALL_ORDER_Y: [[u8; 32]; 7] = [
    [0; 32],
    first_and_rest(1, 0, 0),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    first_and_rest(0xec, 0xff, 0x7f),
    first_and_rest(0xed, 0xff, 0x7f),
    first_and_rest(0xee, 0xff, 0x7f),
];

const fn first_and_rest(first: u8, rest: u8, last: u8) -> [u8; 32] {
    let mut bytes = [rest; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_order_keys_are_refused_under_either_sign() {
        for y in SMALL_ORDER_Y {
            for sign in [0, 0x80] {
                let mut bytes = y;
                bytes[31] |= sign;
                assert_eq!(
                    PublicKey::new(SignatureAlgorithm::Ed25519, &bytes).unwrap_err().kind(),
                    ErrorKind::Key
                );
            }
        }
        assert!(PublicKey::new(SignatureAlgorithm::Ed25519, &[9; 32]).is_ok());
    }

    #[test]
    fn a_y_from_p_on_is_refused_under_either_sign() {
        // p + 3 stands for the point y = 3, whose own encoding is accepted; p − 3 is below p.
        for (first, sign, accepted) in [
            (0xed + 3, 0, false),
            (0xed + 3, 0x80, false),
            (0xff, 0, false),
            (0xed - 3, 0, true),
            (0xed - 3, 0x80, true),
        ] {
            let mut bytes = first_and_rest(first, 0xff, 0x7f);
            bytes[31] |= sign;
            assert_eq!(
                PublicKey::new(SignatureAlgorithm::Ed25519, &bytes).is_ok(),
                accepted,
                "{first} {sign}"
            );
        }
        assert!(PublicKey::new(SignatureAlgorithm::Ed25519, &first_and_rest(3, 0, 0)).is_ok());
    }

    #[test]
    fn a_key_of_another_length_or_form_is_refused() {
        for length in [0, 31, 33, 64] {
            assert!(PublicKey::new(SignatureAlgorithm::Ed25519, &vec![9; length]).is_err());
        }
        let (p256, p384) = (SignatureAlgorithm::EcdsaP256Sha256, SignatureAlgorithm::EcdsaP384Sha384);
        for (algorithm, first, length, accepted) in [
            (p256, 4, 65, true),
            (p256, 4, 64, false),
            (p256, 4, 66, false),
            (p256, 2, 65, false),
            (p256, 3, 33, false),
            (p256, 0, 1, false),
            (p256, 4, 97, false),
            (p384, 4, 97, true),
            (p384, 4, 65, false),
            (p384, 4, 96, false),
            (p384, 2, 97, false),
            (p384, 2, 49, false),
        ] {
            let mut bytes = vec![7; length];
            bytes[0] = first;
            assert_eq!(PublicKey::new(algorithm, &bytes).is_ok(), accepted, "{algorithm:?} {first} {length}");
        }
    }

    #[test]
    fn an_rsa_key_gives_back_its_numbers_and_has_one_encoding() {
        let algorithm = SignatureAlgorithm::RsaPssSha256;
        // With and without a sign byte before the modulus and before the exponent.
        for (first, e) in
            [(0x80, vec![3]), (0xc5, vec![0x80, 0, 1]), (0x01, vec![1, 0, 1]), (0x7f, vec![0xff])]
        {
            let mut n = vec![0xc5; 257];
            n[0] = first;
            let key = PublicKey::rsa(algorithm, &n, &e).unwrap();
            assert_eq!(key.rsa_numbers(), Some((n.as_slice(), e.as_slice())));
            assert_eq!(key.signature_len(), 257);
            assert!(PublicKey::new(algorithm, key.as_bytes()).unwrap() == key);
            for at in [0, 1, 4] {
                let mut other = key.as_bytes().to_vec();
                other[at] ^= 1;
                assert!(PublicKey::new(algorithm, &other).is_err(), "{at}");
            }
            assert!(PublicKey::new(algorithm, &[key.as_bytes(), &[0]].concat()).is_err());
        }
    }

    #[test]
    fn an_rsa_key_that_no_provider_should_see_is_refused() {
        let algorithm = SignatureAlgorithm::RsaPkcs1Sha256;
        let good = vec![0xc5; 256];
        PublicKey::rsa(algorithm, &good, &[1, 0, 1]).unwrap();
        let even = [&good[1..], &[0xc4]].concat();
        for (why, n, e) in [
            ("1024 bits", vec![0xc5; 128], vec![1, 0, 1]),
            ("8,200 bits", vec![0xc5; 1025], vec![1, 0, 1]),
            ("an even modulus", even, vec![1, 0, 1]),
            ("a zero before the modulus", [&[0], good.as_slice()].concat(), vec![1, 0, 1]),
            ("exponent 1", good.clone(), vec![1]),
            ("an even exponent", good.clone(), vec![1, 0, 0]),
            ("an exponent of 34 bits", good.clone(), vec![2, 0, 0, 0, 1]),
            ("no exponent", good.clone(), vec![]),
        ] {
            assert_eq!(PublicKey::rsa(algorithm, &n, &e).unwrap_err().kind(), ErrorKind::Key, "{why}");
        }
        for algorithm in [SignatureAlgorithm::Ed25519, SignatureAlgorithm::EcdsaP384Sha384] {
            let refused = PublicKey::rsa(algorithm, &good, &[1, 0, 1]).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Unsupported);
        }
    }
}
