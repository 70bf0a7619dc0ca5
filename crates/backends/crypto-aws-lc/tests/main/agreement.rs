//! Three providers in one program, one judgement: what one makes the others read, and what one refuses the others refuse.

use bartizan_core::SecretArray;
use bartizan_crypto::{
    Ability, Error, ErrorKind, MacAlgorithm, PrivateKey, Provider, PublicKey, SignatureAlgorithm,
};
use bartizan_crypto_aws_lc::AwsLc;
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;
use proptest::{prelude::*, sample::Index};

use crate::own::rsa_secret;

fn providers() -> [Box<dyn Provider>; 3] {
    [Box::new(AwsLc::new()), Box::new(Ring::new()), Box::new(RustCrypto::new())]
}

/// The algorithms that a provider can be asked, with those who can.
fn able(
    ability: impl Fn(SignatureAlgorithm) -> Ability,
    algorithm: SignatureAlgorithm,
) -> Vec<Box<dyn Provider>> {
    providers().into_iter().filter(|provider| provider.can(ability(algorithm))).collect()
}

/// What all say who know the algorithm, which must be the same; and how many they are.
fn verdict(key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(bool, usize), TestCaseError> {
    let able = able(Ability::Verify, key.algorithm());
    let says: Vec<Result<(), ErrorKind>> = able
        .iter()
        .map(|provider| provider.verifier(key)?.verify(message, signature))
        .map(|said: Result<(), Error>| said.map_err(|error| error.kind()))
        .collect();
    prop_assert!(
        says.iter().all(|said| *said == says[0]),
        "{says:?} {key:?} {:?} {message:?} {signature:?}",
        key.as_bytes()
    );
    Ok((says[0].is_ok(), says.len()))
}

/// A scalar whose first byte is not all ones is below the order, and one that ends with a 1 is not zero.
fn private_key(algorithm: SignatureAlgorithm, seed: &[u8; 48]) -> PrivateKey {
    let mut secret = match algorithm.secret_len() {
        Some(length) => seed[..length].to_vec(),
        None => rsa_secret(),
    };
    if !algorithm.is_rsa() {
        secret[0] &= 0x7f;
        *secret.last_mut().unwrap() |= 1;
    }
    AwsLc::new().private_key(algorithm, secret.into()).unwrap()
}

/// One way to change a signature.
#[derive(Clone, Debug)]
enum Change {
    Bit(Index),
    Byte(Index, u8),
    /// One half becomes a number at the edges, or another.
    Half(bool, u8, u8, u8),
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
            Self::Half(first, start, middle, end) => {
                let (r, s) = changed.split_at_mut(signature.len() / 2);
                let half = if *first { r } else { s };
                half.fill(*middle);
                (half[0], *half.last_mut().unwrap()) = (*start, *end);
            }
            Self::Cut(at) => changed.truncate(at.index(changed.len())),
            Self::More(more) => changed.extend_from_slice(more),
            Self::Turned => changed.reverse(),
        }
        changed
    }
}

fn change() -> impl Strategy<Value = Change> {
    let middle = prop_oneof![Just(0), Just(0xff), any::<u8>()];
    prop_oneof![
        any::<Index>().prop_map(Change::Bit),
        any::<(Index, u8)>().prop_map(|(at, byte)| Change::Byte(at, byte)),
        (any::<bool>(), any::<u8>(), middle, any::<u8>()).prop_map(|(a, b, c, d)| Change::Half(a, b, c, d)),
        any::<Index>().prop_map(Change::Cut),
        prop::collection::vec(any::<u8>(), 1..80).prop_map(Change::More),
        Just(Change::Turned),
    ]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

/// In one program, each with each: nine pairs where all three know an algorithm, four where RustCrypto does not.
#[test]
fn what_one_signs_every_other_verifies() {
    for algorithm in SignatureAlgorithm::ALL {
        let key = private_key(algorithm, &[9; 48]);
        let mut pairs = 0;
        for one in able(Ability::Sign, algorithm) {
            let name = one.name();
            let signature = one.signer(&key).unwrap().sign(b"message").unwrap();
            assert_eq!(signature.len(), key.public().signature_len());
            let (holds, judges) = verdict(key.public(), b"message", &signature).unwrap();
            assert!(holds, "{algorithm:?} by {name}");
            // The neighbour: one byte of the message.
            assert!(!verdict(key.public(), b"massage", &signature).unwrap().0, "{algorithm:?} by {name}");
            pairs += judges;
        }
        assert_eq!(pairs, if algorithm.is_rsa() { 4 } else { 9 }, "{algorithm:?}");
    }
}

/// A signature of one algorithm under the same numbers, said to be of another: none holds but its own.
#[test]
fn rsa_signatures_hold_for_their_own_algorithm_alone() {
    let rsa = || SignatureAlgorithm::ALL.into_iter().filter(|algorithm| algorithm.is_rsa());
    for one in rsa() {
        let signature = AwsLc::new().signer(&private_key(one, &[0; 48])).unwrap().sign(b"message").unwrap();
        for other in rsa() {
            let key = private_key(other, &[0; 48]);
            let (holds, judges) = verdict(key.public(), b"message", &signature).unwrap();
            assert_eq!((holds, judges), (one == other, 2), "{one:?} as {other:?}");
        }
    }
}

/// Of every size that is accepted, and of every exponent, a key is a key for all, and zeros are a signature under none.
#[test]
fn rsa_keys_are_keys_for_all() {
    for bits in [2048, 2049, 3072, 4095, 4096, 8191, 8192] {
        let mut n = vec![0xc5; usize::div_ceil(bits, 8)];
        n[0] = 1 << ((bits - 1) % 8);
        for e in [&[3][..], &[1, 0, 1], &[1, 0xff, 0xff, 0xff, 0xff]] {
            let key = PublicKey::rsa(SignatureAlgorithm::RsaPssSha256, &n, e).unwrap();
            for provider in able(Ability::Verify, key.algorithm()) {
                assert!(provider.verifier(&key).is_ok(), "{} bits by {}", bits, provider.name());
            }
            assert_eq!(verdict(&key, b"message", &vec![0; n.len()]).unwrap(), (false, 2));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_one_seals_every_other_opens(
        key: [u8; 32], nonce: [u8; 12], aad in bytes(), plain in bytes(), flip: Index,
    ) {
        let mut all = Vec::new();
        for one in providers() {
            let (mut text, mut tag) = (plain.clone(), [0; 16]);
            one.with_aead(&key, &mut |aead| {
                tag = aead.seal(&nonce, &aad, &mut text)?;
                Ok(())
            })?;
            all.push([text.as_slice(), &tag].concat());
        }
        prop_assert!(all.iter().all(|sealed| *sealed == all[0]));
        let mut changed = all[0].clone();
        let bit = flip.index(changed.len() * 8);
        changed[bit / 8] ^= 1 << (bit % 8);
        for one in providers() {
            let (mut sealed, mut changed) = (all[0].clone(), changed.clone());
            let (text, tag) = sealed.split_last_chunk_mut().unwrap();
            one.with_aead(&key, &mut |aead| aead.open(&nonce, &aad, text, tag))?;
            prop_assert_eq!(&*text, &plain);
            let (text, tag) = changed.split_last_chunk_mut().unwrap();
            prop_assert!(one.with_aead(&key, &mut |aead| aead.open(&nonce, &aad, text, tag)).is_err());
            prop_assert!(text.iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn what_one_computes_every_other_computes(
        key in prop::collection::vec(any::<u8>(), 64..300), prk: [u8; 32],
        one in bytes(), two in bytes(), length in 0..300_usize,
    ) {
        let parts: &[&[u8]] = &[&one, &two];
        let prk = SecretArray::new(prk);
        let [first, second, third] = providers().map(|provider| -> Result<_, Error> {
            let hash = provider.hash();
            let hashes = (hash.sha256(parts), hash.sha384(parts), hash.sha512(parts));
            let mut tags = Vec::new();
            for algorithm in MacAlgorithm::ALL.into_iter().filter(|algorithm| provider.can(Ability::Mac(*algorithm))) {
                let mac = provider.mac(algorithm, &key)?;
                mac.verify(parts, mac.tag(parts).as_bytes())?;
                tags.push(mac.tag(parts).as_bytes().to_vec());
            }
            let mut okm = vec![0; length];
            provider.kdf(&prk)?.expand(parts, &mut okm)?;
            Ok((hashes, tags, okm))
        });
        let first = first?;
        prop_assert_eq!(first.1.len(), 3);
        prop_assert_eq!(&first, &second?);
        prop_assert_eq!(&first, &third?);
    }

    #[test]
    fn bytes_are_a_key_for_all_or_for_none(any: [u8; 32], seed: [u8; 48], at: Index, byte: u8) {
        let mut keys: Vec<PublicKey> = PublicKey::new(SignatureAlgorithm::Ed25519, &any).into_iter().collect();
        for algorithm in [SignatureAlgorithm::EcdsaP256Sha256, SignatureAlgorithm::EcdsaP384Sha384] {
            let mut point = private_key(algorithm, &seed).public().as_bytes().to_vec();
            *at.get_mut(&mut point[1..]) = byte;
            keys.push(PublicKey::new(algorithm, &point)?);
        }
        for key in keys {
            let says: Vec<_> = able(Ability::Verify, key.algorithm())
                .iter()
                .map(|provider| provider.verifier(&key).map(drop).map_err(|error| error.kind()))
                .collect();
            prop_assert!(says.len() == 3 && says.iter().all(|said| *said == says[0]), "{says:?} {:?}", key.as_bytes());
        }
    }

    /// Also of scalars that are none.
    #[test]
    fn public_halves_are_the_same(random: [u8; 48], first: u8, middle in prop_oneof![Just(0), Just(0xff)], last: u8) {
        let mut edge = [middle; 48];
        (edge[0], edge[47]) = (first, last);
        for algorithm in SignatureAlgorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_rsa()) {
            for secret in [random, edge] {
                let secret = &secret[48 - algorithm.secret_len().unwrap()..];
                let says: Vec<Result<PublicKey, ErrorKind>> = able(Ability::PublicHalf, algorithm)
                    .iter()
                    .map(|provider| provider.private_key(algorithm, secret.to_vec().into()))
                    .map(|key| key.map(|key| key.public().clone()).map_err(|error| error.kind()))
                    .collect();
                prop_assert!(says.len() >= 2 && says.iter().all(|said| *said == says[0]), "{says:?} {secret:?}");
            }
        }
    }

    #[test]
    fn changed_signatures_are_judged_alike(seed: [u8; 48], message in bytes(), change in change()) {
        for algorithm in SignatureAlgorithm::ALL {
            let key = private_key(algorithm, &seed);
            let signature = AwsLc::new().signer(&key)?.sign(&message)?;
            let changed = change.of(&signature);
            prop_assert_eq!(verdict(key.public(), &message, &changed)?.0, changed == signature);
        }
    }
}
