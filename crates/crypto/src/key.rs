//! Keys as bytes, before a provider prepares them.

use std::fmt;

use bartizan_core::SecretArray;

use crate::{Error, ErrorKind, SignatureAlgorithm};

/// A public key: one algorithm and its bytes.
///
/// Ed25519: the 32 bytes of RFC 8032. P-256: the uncompressed point of SEC 1, `04 ‖ x ‖ y`, 65 bytes. Only length and
/// form are checked here, and that an Ed25519 key is encoded canonically and not of small order; a provider checks the rest
/// when it prepares the key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    algorithm: SignatureAlgorithm,
    bytes: Box<[u8]>,
}

impl PublicKey {
    /// From the bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Key`] when length or form do not fit, or an Ed25519 key is of small order or encoded non-canonically.
    pub fn new(algorithm: SignatureAlgorithm, bytes: &[u8]) -> Result<Self, Error> {
        let fits = bytes.len() == algorithm.public_len()
            && match algorithm {
                SignatureAlgorithm::Ed25519 => bytes.first_chunk().is_some_and(is_good_ed25519),
                SignatureAlgorithm::EcdsaP256Sha256 => bytes.first() == Some(&4),
            };
        if fits { Ok(Self { algorithm, bytes: bytes.into() }) } else { Err(ErrorKind::Key.into()) }
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
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?})", self.algorithm)
    }
}

/// A private key: one algorithm, 32 secret bytes, and its public half.
///
/// Ed25519: the seed of RFC 8032. P-256: the scalar, big endian.
pub struct PrivateKey {
    secret: SecretArray<32>,
    public: PublicKey,
}

impl PrivateKey {
    /// From both halves. A provider refuses them when they do not belong together.
    #[must_use]
    pub const fn new(secret: SecretArray<32>, public: PublicKey) -> Self {
        Self { secret, public }
    }

    /// The algorithm; a key has exactly one.
    #[must_use]
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.public.algorithm
    }

    /// The secret half.
    #[must_use]
    pub const fn secret(&self) -> &SecretArray<32> {
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
        for (first, length) in [(4, 64), (4, 66), (2, 65), (3, 33), (0, 1)] {
            let mut bytes = vec![7; length];
            bytes[0] = first;
            assert!(PublicKey::new(SignatureAlgorithm::EcdsaP256Sha256, &bytes).is_err());
        }
    }
}
