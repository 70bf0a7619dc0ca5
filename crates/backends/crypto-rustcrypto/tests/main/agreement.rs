//! Two providers, one judgement: what one makes the other reads, and what one refuses the other refuses.

use bartizan_core::{SecretArray, SecretBytes};
use bartizan_crypto::{Error, MacAlgorithm, PrivateKey, Provider, PublicKey, SignatureAlgorithm};
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;
use ed25519_dalek::{
    VerifyingKey,
    hazmat::{ExpandedSecretKey, raw_sign},
};
use proptest::{prelude::*, sample::Index};

const ED25519: SignatureAlgorithm = SignatureAlgorithm::Ed25519;
const P256: SignatureAlgorithm = SignatureAlgorithm::EcdsaP256Sha256;
const P384: SignatureAlgorithm = SignatureAlgorithm::EcdsaP384Sha384;

/// Both ways round.
fn both_ways() -> [(Box<dyn Provider>, Box<dyn Provider>); 2] {
    [
        (Box::new(Ring::new()), Box::new(RustCrypto::new())),
        (Box::new(RustCrypto::new()), Box::new(Ring::new())),
    ]
}

/// What both say, which must be the same.
fn verdict(key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<bool, TestCaseError> {
    let say =
        |provider: &dyn Provider| -> Result<(), Error> { provider.verifier(key)?.verify(message, signature) };
    let (ring, rustcrypto) = (say(&Ring::new()), say(&RustCrypto::new()));
    prop_assert_eq!(
        ring.as_ref().map_err(Error::kind),
        rustcrypto.as_ref().map_err(Error::kind),
        "{:?} {:?} {:?}",
        key.as_bytes(),
        message,
        signature
    );
    Ok(ring.is_ok())
}

fn private_key(algorithm: SignatureAlgorithm, secret: &[u8]) -> PrivateKey {
    RustCrypto::new().private_key(algorithm, SecretBytes::new(secret.to_vec())).unwrap()
}

/// Any scalar whose first byte is not all ones is below the order, and one that ends with 1 is not zero.
fn ecdsa_key(algorithm: SignatureAlgorithm, secret: [u8; 48]) -> PrivateKey {
    let mut secret = secret[..algorithm.secret_len().unwrap()].to_vec();
    secret[0] &= 0x7f;
    *secret.last_mut().unwrap() |= 1;
    private_key(algorithm, &secret)
}

fn copy(key: &PrivateKey) -> PrivateKey {
    PrivateKey::new(key.secret().expose().to_vec(), key.public().clone())
}

/// One way to change a signature.
#[derive(Clone, Debug)]
enum Change {
    Bit(Index),
    Byte(Index, u8),
    R(Vec<u8>),
    S(Vec<u8>),
    Cut(Index),
    More(Vec<u8>),
    Turned,
}

impl Change {
    fn of(&self, signature: &[u8]) -> Vec<u8> {
        let mut changed = signature.to_vec();
        match self {
            Self::Bit(at) => {
                let bit = at.index(changed.len() * 8);
                changed[bit / 8] ^= 1 << (bit % 8);
            }
            Self::Byte(at, byte) => *at.get_mut(&mut changed) = *byte,
            Self::R(r) => changed.splice(..r.len(), r.iter().copied()).for_each(drop),
            Self::S(s) => changed.splice(s.len().., s.iter().copied()).for_each(drop),
            Self::Cut(at) => changed.truncate(at.index(changed.len())),
            Self::More(more) => changed.extend_from_slice(more),
            Self::Turned => changed.reverse(),
        }
        changed
    }
}

/// A change of a signature that consists of two numbers of this length.
fn change(length: usize) -> impl Strategy<Value = Change> {
    // Numbers at the edges are likelier than among random ones.
    let number = move || {
        prop_oneof![
            prop::collection::vec(any::<u8>(), length),
            (any::<[u8; 2]>(), 0..3_u8).prop_map(move |(ends, middle)| {
                let mut number = vec![[0, 0x7f, 0xff][usize::from(middle)]; length];
                (number[0], number[length - 1]) = (ends[0], ends[1]);
                number
            }),
        ]
    };
    prop_oneof![
        any::<Index>().prop_map(Change::Bit),
        any::<(Index, u8)>().prop_map(|(at, byte)| Change::Byte(at, byte)),
        number().prop_map(Change::R),
        number().prop_map(Change::S),
        any::<Index>().prop_map(Change::Cut),
        prop::collection::vec(any::<u8>(), 1..80).prop_map(Change::More),
        Just(Change::Turned),
    ]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

proptest! {
    #[test]
    fn what_one_seals_the_other_opens(
        key: [u8; 32], nonce: [u8; 12], aad in bytes(), plain in bytes(), flip: Index,
    ) {
        for (one, other) in both_ways() {
            let (mut text, mut tag) = (plain.clone(), [0; 16]);
            one.with_aead(&key, &mut |aead| {
                tag = aead.seal(&nonce, &aad, &mut text)?;
                Ok(())
            })?;
            let sealed = text.clone();
            other.with_aead(&key, &mut |aead| aead.open(&nonce, &aad, &mut text, &tag))?;
            prop_assert_eq!(&text, &plain);

            let mut changed = [sealed.as_slice(), &tag].concat();
            let bit = flip.index(changed.len() * 8);
            changed[bit / 8] ^= 1 << (bit % 8);
            let (text, tag) = changed.split_at_mut(sealed.len());
            let tag: &[u8; 16] = (&*tag).try_into()?;
            prop_assert!(other.with_aead(&key, &mut |aead| aead.open(&nonce, &aad, text, tag)).is_err());
            prop_assert!(text.iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn what_one_computes_the_other_computes(
        key in prop::collection::vec(any::<u8>(), 0..200), prk: [u8; 32],
        one in bytes(), two in bytes(), length in 0..300_usize,
    ) {
        let parts: &[&[u8]] = &[&one, &two];
        let (ring, rustcrypto) = (Ring::new(), RustCrypto::new());
        prop_assert_eq!(ring.hash().sha256(parts), rustcrypto.hash().sha256(parts));

        prop_assert_eq!(ring.hash().sha384(parts), rustcrypto.hash().sha384(parts));
        prop_assert_eq!(ring.hash().sha512(parts), rustcrypto.hash().sha512(parts));

        for algorithm in MacAlgorithm::ALL {
            match (ring.mac(algorithm, &key), rustcrypto.mac(algorithm, &key)) {
                (Ok(one), Ok(other)) => {
                    let (tag, same) = (one.tag(parts), other.tag(&[&parts.concat()]));
                    prop_assert_eq!(tag.as_bytes(), same.as_bytes());
                    one.verify(parts, same.as_bytes())?;
                    other.verify(parts, tag.as_bytes())?;
                }
                (one, other) => {
                    prop_assert_eq!(one.unwrap_err().kind(), other.unwrap_err().kind());
                    prop_assert!(key.len() < algorithm.tag_len());
                }
            }
        }

        let prk = SecretArray::new(prk);
        let (mut okm, mut same) = (vec![0; length], vec![0; length]);
        ring.kdf(&prk)?.expand(parts, &mut okm)?;
        rustcrypto.kdf(&prk)?.expand(parts, &mut same)?;
        prop_assert_eq!(okm, same);
    }

    #[test]
    fn bytes_are_a_key_for_both_or_for_neither(any: [u8; 32], secret: [u8; 48], at: Index, byte: u8) {
        let agree = |key: PublicKey| {
            let (ring, rustcrypto) = (Ring::new().verifier(&key), RustCrypto::new().verifier(&key));
            prop_assert_eq!(
                ring.as_ref().map(drop).map_err(Error::kind),
                rustcrypto.as_ref().map(drop).map_err(Error::kind),
                "{:?}", key.as_bytes()
            );
            Ok(())
        };
        if let Ok(key) = PublicKey::new(ED25519, &any) {
            agree(key)?;
        }
        for algorithm in [P256, P384] {
            let mut point = ecdsa_key(algorithm, secret).public().as_bytes().to_vec();
            *at.get_mut(&mut point[1..]) = byte;
            agree(PublicKey::new(algorithm, &point)?)?;
        }
    }

    #[test]
    fn ed25519_signatures_are_the_same_and_changed_ones_are_judged_alike(
        seed: [u8; 32], message in bytes(), change in change(32),
    ) {
        let key = private_key(ED25519, &seed);
        let signature = Ring::new().signer(&key)?.sign(&message)?;
        prop_assert_eq!(&signature, &RustCrypto::new().signer(&key)?.sign(&message)?);
        prop_assert!(verdict(key.public(), &message, &signature)?);

        let changed = change.of(&signature);
        prop_assert_eq!(verdict(key.public(), &message, &changed)?, changed == signature);
    }

    #[test]
    fn p256_signatures_of_one_verify_with_the_other_and_changed_ones_are_judged_alike(
        secret: [u8; 48], message in bytes(), change in change(32),
    ) {
        ecdsa_is_judged_alike(P256, secret, &message, &change)?;
    }
}

proptest! {
    // Four times as slow as the others.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn p384_signatures_of_one_verify_with_the_other_and_changed_ones_are_judged_alike(
        secret: [u8; 48], message in bytes(), change in change(48),
    ) {
        ecdsa_is_judged_alike(P384, secret, &message, &change)?;
    }
}

fn ecdsa_is_judged_alike(
    algorithm: SignatureAlgorithm,
    secret: [u8; 48],
    message: &[u8],
    change: &Change,
) -> Result<(), TestCaseError> {
    let key = ecdsa_key(algorithm, secret);
    for (one, _) in both_ways() {
        let signature = one.signer(&copy(&key))?.sign(message)?;
        prop_assert!(verdict(key.public(), message, &signature)?);
        prop_assert!(verdict(key.public(), message, &with_other_s(&signature))?);
        let changed = change.of(&signature);
        prop_assert_eq!(verdict(key.public(), message, &changed)?, changed == signature);
    }
    Ok(())
}

/// What no honest signer makes: keys that are a sum of an honest one and a point of small order. One signature in eight holds
/// without the cofactor, all hold with it.
#[test]
fn ed25519_signatures_under_keys_of_mixed_order_are_judged_alike() {
    let small = VerifyingKey::from_bytes(&ORDER_8).unwrap().to_edwards();
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..=255 {
        let seed = [round; 32];
        let honest = VerifyingKey::from(&ExpandedSecretKey::from(&seed)).to_edwards();
        let mixed = VerifyingKey::from(honest + small);
        let message = [round, 1, 2, 3];
        let signature =
            raw_sign::<sha2::Sha512>(&ExpandedSecretKey::from(&seed), &message, &mixed).to_bytes();
        let key = PublicKey::new(ED25519, mixed.as_bytes()).unwrap();
        match verdict(&key, &message, &signature).unwrap() {
            true => accepted += 1,
            false => refused += 1,
        }
    }
    assert!((10..=60).contains(&accepted), "{accepted} of 256 held");
    assert_eq!(accepted + refused, 256);
}

/// Every point of small order is refused as a key, and as `R` under every key, by both.
#[test]
fn ed25519_points_of_small_order_are_judged_alike() {
    let small = VerifyingKey::from_bytes(&ORDER_8).unwrap().to_edwards();
    let mut point = small;
    for _ in 0..8 {
        let bytes = VerifyingKey::from(point).to_bytes();
        assert!(bartizan_crypto::is_small_order_ed25519(&bytes));
        assert!(PublicKey::new(ED25519, &bytes).is_err());
        let key = private_key(ED25519, &[3; 32]);
        for s in [[0; 32], [1; 32]] {
            assert!(!verdict(key.public(), b"message", &[bytes, s].concat()).unwrap());
        }
        point += small;
    }
}

/// `n − s`: the other half of what everybody can make of an ECDSA signature.
fn with_other_s(signature: &[u8]) -> Vec<u8> {
    let mut other = signature.to_vec();
    let order: &[u8] = if signature.len() == 64 { &ORDER_OF_P256 } else { &ORDER_OF_P384 };
    let mut borrow = 0;
    for (digit, order) in other[order.len()..].iter_mut().rev().zip(order.iter().rev()) {
        let difference = i16::from(*order) - i16::from(*digit) - borrow;
        *digit = difference.to_le_bytes()[0];
        borrow = i16::from(difference < 0);
    }
    other
}

const ORDER_OF_P256: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

const ORDER_OF_P384: [u8; 48] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a,
    0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
];

/// A point of edwards25519 of order 8.
const ORDER_8: [u8; 32] = [
    0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
    0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
];
