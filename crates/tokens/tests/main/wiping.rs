//! What is decoded of a private key file on the way to a key is wiped: nothing of it is found in freed memory.
//!
//! The look goes through `/proc/self/mem`, at everything that is writable but the stack of this thread.

use std::{
    fs::{self, File},
    hint::black_box,
    os::unix::fs::FileExt,
    sync::Mutex,
};

use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;
use bartizan_tokens::{Algorithm, ErrorKind, SigningKey, key_file};
use memchr::memmem;

/// Sixteen bytes, kept in a form in which the look does not find them.
struct Hidden([u8; 16]);

impl Hidden {
    fn new(secret: &[u8]) -> Self {
        Self(std::array::from_fn(|i| !secret[i]))
    }

    /// How often they stand in memory.
    fn count(&self) -> usize {
        // On the stack, where nobody looks: what is read would be found again, and so would the bytes themselves.
        let (mut buffer, bytes) = ([0; 1 << 16], self.0.map(|byte| !byte));
        let stack = &raw const bytes as usize;
        let finder = memmem::Finder::new(&bytes);
        let memory = File::open("/proc/self/mem").unwrap();
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let mut found = 0;
        // Neither code nor what belongs to a file.
        for line in maps.lines().filter(|line| line.contains(" rw-p ") && !line.contains(" /")) {
            let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
            let [from, to] = [from, to].map(|text| usize::from_str_radix(text, 16).unwrap());
            if (from..to).contains(&stack) {
                continue;
            }
            // Pieces overlap, so that nothing is missed between two; what is counted twice is there all the same.
            for place in (from..to).step_by(buffer.len() - 16) {
                let piece = &mut buffer[..(to - place).min(1 << 16)];
                if memory.read_exact_at(piece, place as u64).is_ok() {
                    found += finder.find_iter(piece).count();
                }
            }
        }
        found
    }
}

/// A file of fixtures, wiped by who reads it here.
fn fixture(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/fixtures/wiping/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    black_box(bytes);
}

/// Sixteen bytes of the secret half: in the middle of the first prime, or at the end of the scalar or seed.
fn part(algorithm: Algorithm, file: &str) -> Hidden {
    let mut bytes = fixture(file);
    let key = key_file::private_from_pem(&RustCrypto::new(), algorithm, &bytes).unwrap();
    wipe(&mut bytes);
    let secret = key.secret().expose();
    // Freed memory begins with the links of the free list.
    let start = if algorithm.is_rsa() { secret.len() / 2 } else { secret.len() - 16 };
    Hidden::new(&secret[start..])
}

/// One look at a time: the buffer of one would hold what the other looks for.
static LOOK: Mutex<()> = Mutex::new(());

#[test]
fn a_key_file_leaves_nothing_behind() {
    let _alone = LOOK.lock();
    for (algorithm, name) in [
        (Algorithm::EdDsa, "ed25519.pkcs8"),
        (Algorithm::Es256, "p256.sec1"),
        (Algorithm::Es384, "p384.pkcs8"),
        (Algorithm::Ps256, "rsa.pkcs1"),
    ] {
        let hidden = part(algorithm, &format!("{name}.pem"));
        assert_eq!(hidden.count(), 0, "{name}");
        let mut der = fixture(&format!("{name}.der"));
        // The neighbour: while the file is there, the look finds it.
        assert!(hidden.count() > 0, "{name}");
        let key = key_file::private_from_der(&RustCrypto::new(), algorithm, &der).unwrap();
        wipe(&mut der);
        assert!(hidden.count() > 0, "{name}");
        let written = key_file::private_to_der(&key).unwrap();
        assert!(hidden.count() > 1, "{name}");
        drop((key, written));
        assert_eq!(hidden.count(), 0, "{name}");
    }
}

#[test]
fn a_private_jwk_leaves_nothing_behind() {
    let _alone = LOOK.lock();
    let hidden = part(Algorithm::Ps256, "jwk.pkcs8.pem");
    let mut file = fixture("jwk.pkcs8.pem");
    let jwk =
        SigningKey::from_pem(&Ring::new(), Algorithm::Ps256, Some("k"), &file).unwrap().to_private_jwk();
    wipe(&mut file);
    // A signer of ring is not wiped. What is left of this one may be overwritten, and what is read later adds nothing to it.
    let left = hidden.count();
    // The last of the numbers is wrong, when all others have been decoded.
    let mut broken = jwk.expose().replace("\"qi\":\"", "\"qi\":\"AAAA").into_bytes();
    let error = SigningKey::from_jwk(&Ring::new(), &broken).unwrap_err();
    assert_eq!((error.kind(), error.claim()), (ErrorKind::KeyFormat, Some("qi")));
    wipe(&mut broken);
    assert!(hidden.count() <= left);
}
