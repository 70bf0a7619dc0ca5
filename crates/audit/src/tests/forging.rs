//! What somebody can do who may write all files, and what of it is found out.

use bartizan_crypto::Provider;

use super::{
    Bench, config, record, record_durably,
    tampering::{FIRST, Files, SECOND, damage, frames, three_segments, verdict},
};
use crate::{
    Anchor, Checkpoint, ErrorKind, Flaw, Verdict, VerifyOptions,
    crash::CrashDisk,
    format::{BLOCK, FRAME_HEADER, FrameSum, Head, SegmentHeader, State},
    merkle::Tree,
    verify_on,
};

/// What somebody can do who can write all files and knows the format, but has no key.
struct Forger {
    files: Files,
    head: Head,
}

impl Forger {
    fn new(files: &Files) -> Self {
        let slots = files["head"].chunks(BLOCK).filter_map(Head::parse);
        Self { head: slots.max_by_key(|head| head.generation).unwrap(), files: files.clone() }
    }

    /// Writes the payloads of the only segment anew, with checksums, tree and head that fit.
    fn rewrite(mut self, payloads: &[&[u8]]) -> Files {
        let mut segment = self.files[FIRST][..BLOCK].to_vec();
        let (sum, mut tree) = (FrameSum::new(self.head.log, 0), Tree::new());
        let provider = bartizan_crypto_ring::Ring::new();
        for payload in payloads {
            assert!(sum.append(tree.size(), payload, &mut segment));
            tree.push(provider.hash(), payload);
        }
        self.head.length = segment.len() as u64;
        self.head.size = tree.size();
        self.head.root = tree.root(provider.hash());
        self.files.insert(FIRST.into(), segment);
        self.with_head()
    }

    fn with_head(mut self) -> Files {
        self.files.insert("head".into(), [self.head.to_bytes(), self.head.to_bytes()].concat());
        self.files
    }
}

fn payloads(files: &Files) -> Vec<Vec<u8>> {
    let segment = &files[FIRST];
    frames(segment).into_iter().map(|frame| segment[frame.start + FRAME_HEADER..frame.end].to_vec()).collect()
}

/// One closed segment, and the checkpoint that somebody kept of it.
fn one_segment(bench: &Bench) -> (Files, Checkpoint) {
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config()).unwrap();
    for number in 0..8 {
        record(&log, number).unwrap();
    }
    let held = log.checkpoint().unwrap();
    for number in 8..10 {
        record(&log, number).unwrap();
    }
    log.close().unwrap();
    (disk.files(), held)
}

#[test]
fn asvs_16_4_2_a_forger_without_the_key_is_found_out_by_the_signed_checkpoint() {
    let bench = Bench::new(1);
    let (files, _) = one_segment(&bench);
    let payloads = payloads(&files);
    let total = payloads.len() as u64;
    let all: Vec<&[u8]> = payloads.iter().map(|payload| &**payload).collect();
    let untouched = Forger::new(&files).rewrite(&all);
    assert!(verdict(&bench, &untouched).is_consistent());

    // The tail cut, and committed length, size and root made to fit.
    let cut = Forger::new(&files).rewrite(&all[..6]);
    assert_eq!(verdict(&bench, &cut), Verdict::Truncated { from: 6, to: total });
    let error = bench.open(&CrashDisk::with_files(1, &cut), config()).unwrap_err();
    assert_eq!((error.kind(), error.missing()), (ErrorKind::Truncated, Some(6..total)));

    // One entry changed, one left out with another put in, all checksums made to fit.
    let changed = String::from_utf8(payloads[4].clone()).unwrap().replace("ada", "eve");
    let mut forged = all.clone();
    forged[4] = changed.as_bytes();
    let forged = Forger::new(&files).rewrite(&forged);
    assert_eq!(verdict(&bench, &forged), Verdict::Forked { from: 0, to: total });
    let error = bench.open(&CrashDisk::with_files(1, &forged), config()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forked);

    // Somebody else's signature under the forged tree.
    let eve = Bench::new(2);
    let disk = CrashDisk::with_files(1, &Forger::new(&files).rewrite(&all[..6]));
    let mut forger = Forger::new(&disk.files());
    let key = crate::CheckpointKey::new(&*eve.provider, &eve.key).unwrap();
    let tree = (forger.head.size, forger.head.root);
    let place = (super::ORIGIN, forger.head.log);
    let note =
        Checkpoint::sign(&key, eve.provider.hash(), place, tree, bartizan_core::UnixTime::EPOCH).unwrap();
    forger.head.note = note.as_str().into();
    let forged = forger.with_head();
    assert_eq!(damage(&verdict(&bench, &forged)).flaw, Flaw::Checkpoint);
    assert!(bench.open(&CrashDisk::with_files(1, &forged), config()).is_err());
    // Without a key nobody can tell, and nothing is promised.
    let options = VerifyOptions::new(bench.provider.clone());
    let report = verify_on(&CrashDisk::with_files(1, &forged), &options).unwrap();
    assert_eq!(*report.verdict(), Verdict::ConsistentUnanchored);
    assert_eq!(report.verdict().to_string(), "consistent; completeness unproven");
}

/// Changes what the head says of the last segment of a log that was not closed.
fn with_head(bench: &Bench, change: impl FnOnce(&mut Head)) -> Flaw {
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config()).unwrap();
    for number in 0..5 {
        record_durably(&log, number).unwrap();
    }
    let mut forger = Forger::new(&disk.files());
    drop(log);
    assert_eq!((forger.head.state, forger.head.size), (State::Open, 6));
    change(&mut forger.head);
    damage(&verdict(bench, &forger.with_head())).flaw
}

#[test]
fn a_head_that_does_not_fit_the_entries_is_named() {
    let bench = Bench::new(1);
    let frame = |bench: &Bench| frames(&one_segment(bench).0[FIRST])[2].len() as u64;
    assert_eq!(with_head(&bench, |head| head.root[0] ^= 1), Flaw::Commit);
    assert_eq!(with_head(&bench, |head| head.size -= 1), Flaw::Commit);
    assert_eq!(with_head(&bench, |head| head.length -= frame(&bench)), Flaw::Commit);
    assert_eq!(with_head(&bench, |head| head.length -= 1), Flaw::Commit);
    assert_eq!(with_head(&bench, |head| head.note.clear()), Flaw::Checkpoint);
    assert_eq!(with_head(&bench, |head| head.log.0[0] ^= 1), Flaw::Checkpoint);
}

#[test]
fn a_segment_header_that_does_not_follow_is_named() {
    let bench = Bench::new(1);
    let files = three_segments(&bench);
    let change = |change: &dyn Fn(&mut SegmentHeader)| {
        let mut files = files.clone();
        let segment = files.get_mut(SECOND).unwrap();
        let mut header = SegmentHeader::parse(segment).unwrap();
        change(&mut header);
        segment[..BLOCK].copy_from_slice(&header.to_bytes());
        verdict(&bench, &files)
    };
    assert!(change(&|_| {}).is_consistent());
    let count = frames(&files[FIRST]).len() as u64;
    let named = |flaw, verdict: &Verdict| {
        let found = damage(verdict);
        assert_eq!((found.flaw, found.segment, found.index), (flaw, 1, count));
    };
    named(Flaw::Chain, &change(&|header| header.peaks[0][0] ^= 1));
    named(Flaw::OtherLog, &change(&|header| header.number = 7));
    // A checkpoint of the same tree and key under another name, with another time, and of another size.
    let sign = |bench: &Bench, origin: &str, size: u64, root_bit: u8| {
        let header = SegmentHeader::parse(&files[SECOND]).unwrap();
        let mut root = *Checkpoint::parse(&header.note).unwrap().root();
        root[0] ^= root_bit;
        let key = crate::CheckpointKey::new(&*bench.provider, &bench.key).unwrap();
        let at = bartizan_core::UnixTime::EPOCH;
        let note = Checkpoint::sign(&key, bench.provider.hash(), (origin, header.log), (size, root), at);
        note.unwrap().as_str().as_bytes().to_vec()
    };
    let note = |note: Vec<u8>| change(&|header| header.note.clone_from(&note));
    assert!(note(sign(&bench, super::ORIGIN, count, 0)).is_consistent());
    named(Flaw::Checkpoint, &note(sign(&bench, "other.example", count, 0)));
    named(Flaw::Checkpoint, &note(sign(&bench, super::ORIGIN, count + 1, 0)));
    named(Flaw::Checkpoint, &note(sign(&Bench::new(2), super::ORIGIN, count, 0)));
    assert_eq!(note(sign(&bench, super::ORIGIN, count, 1)), Verdict::Forked { from: 0, to: count });
}

#[test]
fn entries_rewritten_between_two_checkpoints_are_named_by_them() {
    let bench = Bench::new(1);
    let files = three_segments(&bench);
    let counts: Vec<u64> = [FIRST, SECOND].map(|name| frames(&files[name]).len() as u64).into();
    // One letter of an entry in the second segment, with a checksum that fits.
    let (log, mut forged) = (Head::parse(&files["head"]).unwrap().log, files.clone());
    let segment = forged.get_mut(SECOND).unwrap();
    let frame = frames(segment)[4].clone();
    let payload = String::from_utf8(segment[frame.start + FRAME_HEADER..frame.end].to_vec()).unwrap();
    let mut bytes = Vec::new();
    assert!(FrameSum::new(log, 1).append(
        counts[0] + 4,
        payload.replace("ada", "eve").as_bytes(),
        &mut bytes
    ));
    segment[frame].copy_from_slice(&bytes);
    assert_eq!(verdict(&bench, &forged), Verdict::Forked { from: counts[0], to: counts[0] + counts[1] });
}

#[test]
fn a_log_set_back_as_a_whole_is_found_out_by_a_held_checkpoint_only() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config()).unwrap();
    record_durably(&log, 1).unwrap();
    let earlier_checkpoint = log.checkpoint().unwrap();
    let earlier = disk.files();
    record_durably(&log, 2).unwrap();
    let held = log.checkpoint().unwrap();
    log.close().unwrap();

    let verify = |files: &Files, held: &Checkpoint| {
        let options = bench.trusting().held(held.clone());
        verify_on(&CrashDisk::with_files(1, files), &options).unwrap().verdict().clone()
    };
    let Verdict::ConsistentToCheckpoint { size, anchor: Anchor::Own, .. } = verdict(&bench, &earlier) else {
        panic!("the roll-back cannot be seen from inside");
    };
    assert_eq!(size, earlier_checkpoint.size());
    assert_eq!(verify(&earlier, &held), Verdict::Truncated { from: 2, to: held.size() });
    assert!(verify(&earlier, &earlier_checkpoint).is_consistent());
    assert!(verify(&disk.files(), &held).is_consistent());
    assert_eq!(verify(&Files::new(), &held), Verdict::Truncated { from: 0, to: held.size() });

    let opening = |files: &Files| bench.open(&CrashDisk::with_files(1, files), config().held(held.clone()));
    assert_eq!(opening(&earlier).unwrap_err().kind(), ErrorKind::Truncated);
    assert_eq!(opening(&Files::new()).unwrap_err().kind(), ErrorKind::Absent);
    assert!(opening(&disk.files()).is_ok());
    let error = bench.open(&CrashDisk::new(1), config().must_exist()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Absent);
}

#[test]
fn a_new_log_in_the_place_of_the_old_is_a_fork() {
    let bench = Bench::new(1);
    let (_, held) = one_segment(&bench);
    // The same key and name, another log: everything was deleted and begun again.
    let (files, _) = one_segment(&bench);
    let options = bench.trusting().held(held.clone());
    let report = verify_on(&CrashDisk::with_files(1, &files), &options).unwrap();
    assert_eq!(*report.verdict(), Verdict::Forked { from: 0, to: held.size() });
    let error = bench.open(&CrashDisk::with_files(1, &files), config().held(held.clone())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forked);
    // However short it is.
    let young = CrashDisk::new(1);
    bench.closed_log(&young, config(), 0);
    let report = verify_on(&young, &bench.trusting().held(held.clone())).unwrap();
    assert_eq!(*report.verdict(), Verdict::Forked { from: 0, to: held.size() });
}

#[test]
fn whoever_has_the_key_can_rewrite_the_log_but_not_what_others_hold() {
    let bench = Bench::new(1);
    let (files, held) = one_segment(&bench);
    let payloads = payloads(&files);
    let mut all: Vec<&[u8]> = payloads.iter().map(|payload| &**payload).collect();
    let changed = String::from_utf8(payloads[4].clone()).unwrap().replace("ada", "eve");
    all[4] = changed.as_bytes();
    let mut forger = Forger::new(&Forger::new(&files).rewrite(&all));
    let key = crate::CheckpointKey::new(&*bench.provider, &bench.key).unwrap();
    let (tree, place) = ((forger.head.size, forger.head.root), (super::ORIGIN, forger.head.log));
    let note = Checkpoint::sign(&key, bench.provider.hash(), place, tree, bartizan_core::UnixTime::EPOCH);
    forger.head.note = note.unwrap().as_str().into();
    let forged = CrashDisk::with_files(1, &forger.with_head());
    assert!(bench.verify(&forged).verdict().is_consistent());
    let report = verify_on(&forged, &bench.trusting().held(held.clone())).unwrap();
    assert_eq!(*report.verdict(), Verdict::Forked { from: 0, to: held.size() });
}

#[test]
fn a_held_checkpoint_must_be_of_this_origin_and_signed_by_a_trusted_key() {
    let (bench, other) = (Bench::new(1), Bench::new(2));
    let (files, held) = one_segment(&bench);
    let (_, foreign) = one_segment(&other);
    let disk = CrashDisk::with_files(1, &files);
    let error = verify_on(&disk, &bench.trusting().held(foreign)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Checkpoint);
    let without_key = VerifyOptions::new(bench.provider.clone()).held(held.clone());
    assert_eq!(verify_on(&disk, &without_key).unwrap_err().kind(), ErrorKind::Checkpoint);
    assert_eq!(verify_on(&CrashDisk::new(1), &without_key).unwrap_err().kind(), ErrorKind::Checkpoint);
    let renamed = crate::LogConfig::new("unused", "other.example/audit");
    let elsewhere = CrashDisk::new(2);
    bench.open(&elsewhere, renamed).unwrap().close().unwrap();
    let error = verify_on(&elsewhere, &bench.trusting().held(held)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Checkpoint);
    assert_eq!(verify_on(&CrashDisk::new(1), &bench.trusting()).unwrap_err().kind(), ErrorKind::Absent);
}
