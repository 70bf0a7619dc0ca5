//! Prepared keys are wiped: after one was dropped, nothing of its secret stands on the heap.
//!
//! The look goes through `/proc/self/mem` at all that the process may write to, freed memory too; only stacks are left out.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    sync::Arc,
};

use bartizan_core::SecretArray;
use bartizan_crypto::{Aead, MacAlgorithm, Provider, SignatureAlgorithm};
use bartizan_crypto_aws_lc::AwsLc;
use bartizan_crypto_ring::Ring;

use crate::own::new_rsa_secret;

#[test]
fn an_ed25519_signer_is_wiped() {
    assert_secret_is_wiped(SignatureAlgorithm::Ed25519, canary::<32>(3));
}

#[test]
fn a_p256_signer_is_wiped() {
    assert_secret_is_wiped(SignatureAlgorithm::EcdsaP256Sha256, canary::<32>(5));
}

#[test]
fn a_p384_signer_is_wiped() {
    assert_secret_is_wiped(SignatureAlgorithm::EcdsaP384Sha384, canary::<48>(7));
}

/// The encoding that the test holds has its numbers the other way round than AWS-LC.
#[test]
fn an_rsa_signer_is_wiped() {
    let provider = AwsLc::new();
    let algorithm = SignatureAlgorithm::RsaPssSha256;
    let key = provider.private_key(algorithm, new_rsa_secret().into()).unwrap();
    // Behind version, modulus and public exponent stands the private exponent, 256 bytes; here is some of its middle.
    let middle = key.secret().expose()[277 + 100..].first_chunk::<16>().unwrap();
    let mut turned = *middle;
    turned.reverse();
    let signer = provider.signer(&key).unwrap();
    let look = Look::new();
    assert!(look.finds(&turned), "it does not find the secret while it is there");
    drop(signer);
    assert!(!look.finds(&turned));
}

#[test]
fn a_kdf_is_wiped() {
    let secret = canary::<32>(11);
    let kdf = AwsLc::new().kdf(&SecretArray::new(secret)).unwrap();
    let look = Look::new();
    assert!(look.finds_half_of(&secret), "it does not find the secret while it is there");
    drop(kdf);
    assert!(!look.finds_half_of(&secret));
}

#[test]
fn a_prepared_aead_key_is_wiped() {
    let secret = canary::<32>(13);
    let mut look = None;
    let work = &mut |_: &dyn Aead| {
        look = Some(Look::new()).filter(|look| look.finds_half_of(&secret));
        Ok(())
    };
    AwsLc::new().with_aead(&secret, work).unwrap();
    let look = look.expect("it does not find the secret while it is there");
    assert!(!look.finds_half_of(&secret));
}

#[test]
fn a_mac_is_wiped() {
    for algorithm in MacAlgorithm::ALL {
        assert!(!remains(AwsLc::new().mac(algorithm, &canary::<64>(17)).unwrap()), "{algorithm:?}");
    }
}

/// The neighbours: what nobody wipes is found by the same look.
#[test]
fn the_look_finds_what_is_not_wiped() {
    assert!(remains(Ring::new().mac(MacAlgorithm::HmacSha256, &canary::<64>(19)).unwrap()));
    let secret = canary::<32>(23);
    let unwiped = std::hint::black_box(secret.to_vec());
    let look = Look::new();
    drop(unwiped);
    assert!(look.finds_half_of(&secret));
}

fn assert_secret_is_wiped<const N: usize>(algorithm: SignatureAlgorithm, secret: [u8; N]) {
    let provider = AwsLc::new();
    let key = provider.private_key(algorithm, SecretArray::new(secret).into()).unwrap();
    let signer = provider.signer(&key).unwrap();
    signer.sign(b"message").unwrap();
    drop(key);
    let look = Look::new();
    assert!(look.finds_half_of(&secret), "it does not find the secret while it is there");
    drop(signer);
    assert!(!look.finds_half_of(&secret));
}

/// Whether something of the value's own bytes stands anywhere after it was dropped. Runs of zeros and ones do not count.
fn remains<T: ?Sized>(value: Arc<T>) -> bool {
    let look = Look::new();
    let mut bytes = [0; 2048];
    let before = &mut bytes[..size_of_val(&*value)];
    look.memory.read_exact_at(before, Arc::as_ptr(&value).cast::<u8>() as u64).unwrap();
    let dull = |byte: &&u8| matches!(byte, 0 | 0xff);
    let telling = || before.chunks_exact(16).filter(|chunk| chunk.iter().filter(dull).count() < 4);
    assert!(
        telling().count() >= 2 && telling().all(|chunk| look.finds(chunk)),
        "it finds no key while it is there"
    );
    drop(value);
    telling().any(|chunk| look.finds(chunk))
}

/// Made while the secret stands, so that the look afterwards allocates nothing where the secret stood.
struct Look {
    memory: File,
    /// All that may be written to, but for the main stack and that of this thread, where the secret stands for the asking.
    heaps: Vec<(u64, u64)>,
}

impl Look {
    fn new() -> Self {
        let here = (&raw const *Box::leak(Box::new(0_u8))).addr() as u64;
        let on_this_stack = std::hint::black_box(0_u8);
        let stack = (&raw const on_this_stack).addr() as u64;
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let heaps: Vec<(u64, u64)> = maps
            .lines()
            .filter_map(|line| {
                let (range, rest) = line.split_once(' ')?;
                let (from, to) = range.split_once('-')?;
                let (from, to) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
                let is_heap =
                    rest.starts_with("rw") && !rest.ends_with("[stack]") && !(from..to).contains(&stack);
                is_heap.then_some((from, to))
            })
            .collect();
        assert!(heaps.iter().any(|(from, to)| (*from..*to).contains(&here)), "the heap is looked at");
        Self { memory: File::open("/proc/self/mem").unwrap(), heaps }
    }

    /// Whether either half of the secret stands anywhere, in either order of its bytes: an allocator writes over the first bytes
    /// of what is given back.
    fn finds_half_of(&self, secret: &[u8]) -> bool {
        let (first, second) = secret.split_at(secret.len() / 2);
        [first, second].into_iter().any(|half| {
            let mut bytes = [0; 32];
            let turned = &mut bytes[..half.len()];
            turned.copy_from_slice(half);
            turned.reverse();
            self.finds(half) || self.finds(turned)
        })
    }

    fn finds(&self, bytes: &[u8]) -> bool {
        let mut chunk = [0; 1 << 16];
        self.heaps.iter().any(|&(mut from, to)| {
            while from < to {
                let length = chunk.len().min((to - from) as usize);
                // A page may be gone by now.
                let is_read = self.memory.read_exact_at(&mut chunk[..length], from).is_ok();
                if is_read && chunk[..length].windows(bytes.len()).any(|window| window == bytes) {
                    return true;
                }
                // What stands across two chunks is seen with the next.
                from += if from + length as u64 == to { length } else { length - bytes.len() } as u64;
            }
            false
        })
    }
}

/// A secret that stands nowhere before it is asked for, and whose number is below every order.
fn canary<const N: usize>(first: u8) -> [u8; N] {
    let mut next = first;
    std::array::from_fn(|_| {
        next = next.wrapping_mul(5).wrapping_add(first);
        next & 0x7f
    })
}
