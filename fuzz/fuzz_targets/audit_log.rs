//! A whole log, changed by somebody who puts the checksums right again: whatever is changed in its segments is noticed.
#![no_main]

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use libfuzzer_sys::fuzz_target;

use bartizan_audit::{Checkpoint, CheckpointKey, Log, LogConfig, VerifyOptions, crash::CrashDisk, verify_on};
use bartizan_core::{Delivery, Origin, Outcome, Recorder, Subject, Target, UnixTime};
use bartizan_crypto::{Provider, PublicKey, SignatureAlgorithm};
use bartizan_crypto_ring::Ring;
use bartizan_testkit::{ManualClock, SeededEntropy};

type Files = BTreeMap<String, Vec<u8>>;

struct Genuine {
    files: Files,
    key: PublicKey,
    last: Checkpoint,
}

/// Three segments, closed in order.
static GENUINE: LazyLock<Genuine> = LazyLock::new(|| {
    let (provider, entropy) = (Arc::new(Ring::new()), SeededEntropy::new(1));
    let private = provider.generate(SignatureAlgorithm::Ed25519, &entropy).expect("a key");
    let key = CheckpointKey::new(&*provider, &private).expect("an Ed25519 key");
    let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_800_000_000)));
    let disk = CrashDisk::new(1);
    let config = LogConfig::new("unused", "fuzz.example/audit").segment_bytes(SEGMENT);
    let log = Log::open_on(Arc::new(disk.clone()), config, provider, key, clock, &entropy).expect("a log");
    let name = "x".repeat(1_200);
    for entry in 0..12 {
        let target = Target::Named { kind: "entry", name: name.get(..entry * 100).unwrap_or_default() };
        let at = UnixTime::from_secs(1_800_000_000);
        let fact = bartizan_audit_events::Event::SUSPICIOUS_ACTIVITY
            .fact(Outcome::Unknown, at, Subject::Anonymous, target, Origin::service("fuzz"))
            .delivered(Delivery::Critical);
        log.record(&fact).expect("room");
        log.flush().expect("a working disk");
    }
    let last = log.close().expect("a working disk");
    let genuine = Genuine { files: disk.files(), key: private.public().clone(), last };
    assert!(genuine.files.len() >= 3, "head and at least two segments");
    assert!(genuine.accepts(&genuine.files), "the log itself verifies");
    genuine
});

fuzz_target!(|input: &[u8]| {
    let genuine = &*GENUINE;
    let Some((flags, edits)) = input.split_first() else { return };
    let mut files = genuine.files.clone();
    for edit in edits.chunks_exact(5) {
        let names: Vec<String> = files.keys().cloned().collect();
        let file = files.get_mut(&names[usize::from(edit[0]) % names.len()]).expect("a name of the map");
        let at = usize::from(u16::from_be_bytes([edit[1], edit[2]])) % (file.len() + 1);
        match edit[3] % 4 {
            0 => file.truncate(at),
            1 => file.insert(at, edit[4]),
            _ => file.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= edit[4]),
        }
    }
    if flags % 2 == 1 {
        files.iter_mut().for_each(|(name, file)| mend(name, file));
    }

    let is_changed = files.iter().any(|(name, file)| name != "head" && *file != genuine.files[name]);
    assert!(!(genuine.accepts(&files) && is_changed), "a changed segment verifies");
});

impl Genuine {
    /// Whether a verifier that trusts the key and holds the last checkpoint finds nothing wrong.
    fn accepts(&self, files: &Files) -> bool {
        let options =
            VerifyOptions::new(Arc::new(Ring::new())).trusting(self.key.clone()).held(self.last.clone());
        verify_on(&CrashDisk::with_files(1, files), &options)
            .is_ok_and(|report| report.verdict().is_consistent())
    }
}

/// Puts the checksums right: those of blocks stand at their end, those of frames after the length.
fn mend(name: &str, file: &mut [u8]) {
    let block = |block: &mut [u8]| {
        if let Some((body, sum)) = block.split_last_chunk_mut::<4>() {
            *sum = crc32fast::hash(body).to_be_bytes();
        }
    };
    if name == "head" {
        file.chunks_exact_mut(BLOCK).for_each(block);
        return;
    }
    let Some((header, mut frames)) = file.split_at_mut_checked(BLOCK) else { return };
    block(header);
    let (log, number) = (&header[12..28], &header[28..36]);
    while let Some((&mut length, rest)) = frames.split_first_chunk_mut::<4>() {
        let size = u32::from_be_bytes(length) as usize;
        let Some((frame, next)) = rest.split_at_mut_checked(size.saturating_add(12)) else { return };
        let mut sum = crc32fast::Hasher::new();
        [log, number, &length, &frame[4..]].into_iter().for_each(|part| sum.update(part));
        frame[..4].copy_from_slice(&sum.finalize().to_be_bytes());
        frames = next;
    }
}

const BLOCK: usize = 4_096;
const SEGMENT: u64 = 8 * 1024;
