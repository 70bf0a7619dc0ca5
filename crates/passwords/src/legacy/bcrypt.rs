//! bcrypt over the Blowfish of the RustCrypto project (Provos and Mazières, "A Future-Adaptable Password Scheme", 1999).

use blowfish::Blowfish;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Fills `digest` with the first bytes of bcrypt's 24; answers whether bcrypt reads the whole password and tells it from
/// every other one.
///
/// SECURITY: bcrypt reads 72 bytes and forgets the rest, and it repeats what is shorter, with a NUL at its end, up to 72: so
/// `a` and `a\0a` are one. A password that is longer, or holds a NUL, is computed and never matches.
pub(crate) fn of(rounds_log2: u32, salt: &[u8], password: &[u8], digest: &mut [u8]) -> bool {
    let read = password.get(..MAX).unwrap_or(password);
    let mut key = Zeroizing::new(Vec::with_capacity(MAX + 1));
    key.extend_from_slice(read);
    // Versions 2a, 2b and 2y alike; a key of 72 bytes has no room for it.
    key.push(0);
    key.truncate(MAX);
    compute(rounds_log2, salt, &key, digest);
    password.len() <= MAX && !password.contains(&0)
}

/// The same of the lower-case hexadecimal SHA-256 of the password: 64 bytes, of which none is NUL.
pub(crate) fn of_sha256(rounds_log2: u32, salt: &[u8], password: &[u8], digest: &mut [u8]) -> bool {
    let mut hash = Sha256::digest(password);
    let mut hex = Zeroizing::new(Vec::with_capacity(2 * hash.len()));
    for byte in &hash {
        for digit in [byte >> 4, byte & 15] {
            hex.push(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
        }
    }
    hash.fill(0);
    of(rounds_log2, salt, &hex, digest)
}

/// The state is wiped by Blowfish itself, by its feature `zeroize`.
fn compute(rounds_log2: u32, salt: &[u8], key: &[u8], digest: &mut [u8]) {
    let mut state = Blowfish::bc_init_state();
    state.salted_expand_key(salt, key);
    for _ in 0..1_u64 << rounds_log2 {
        state.bc_expand_key(key);
        state.bc_expand_key(salt);
    }
    for (pair, out) in OPENBSD.iter().zip(digest.chunks_mut(8)) {
        let mut block = *pair;
        for _ in 0..64 {
            block = state.bc_encrypt(block);
        }
        for (to, from) in out.iter_mut().zip(block.iter().flat_map(|word| word.to_be_bytes())) {
            *to = from;
        }
    }
}

const MAX: usize = 72;

/// "OrpheanBeholderScryDoubt"
const OPENBSD: [[u32; 2]; 3] =
    [[0x4f72_7068, 0x6561_6e42], [0x6568_6f6c, 0x6465_7253], [0x6372_7944, 0x6f75_6274]];
