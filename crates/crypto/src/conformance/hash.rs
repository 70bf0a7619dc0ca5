//! Cases of the hash functions.

use super::support::{Outcome, ensure, for_each_cut, hex};
use crate::Provider;

/// The examples of FIPS 180-2 appendix B, the one of two blocks and the empty message of NIST's example files.
pub(super) fn sha256_matches_fips_180(provider: &dyn Provider) -> Outcome {
    let million = vec![b'a'; 1_000_000];
    let two_blocks = b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno\
                       ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
    let vectors: [(&[u8], &str); 5] = [
        (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
        (two_blocks, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"),
        (&million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ];
    for (message, hash) in vectors {
        let made = provider.hash().sha256(&[message]);
        ensure(made.as_slice() == hex(hash)?, || format!("hash of {} bytes", message.len()))?;
    }
    Ok(vectors.len())
}

pub(super) fn sha256_of_parts_is_that_of_their_concatenation(provider: &dyn Provider) -> Outcome {
    for_each_cut(203, |whole, parts| {
        let hash = provider.hash();
        ensure(hash.sha256(parts) == hash.sha256(&[whole]), || {
            format!("hash of {} bytes in {} parts", whole.len(), parts.len())
        })
    })
}
