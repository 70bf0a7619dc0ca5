//! Files that somebody changed.

use std::{collections::BTreeMap, ops::Range};

use bartizan_crypto::Provider;

use super::{Bench, config, numbers, record_durably, small_segments};
use crate::{
    Damage, ErrorKind, Flaw, Verdict,
    checkpoint::TrustedKeys,
    crash::CrashDisk,
    format::{BLOCK, FRAME_HEADER, FrameFault, FrameSum, Head, State},
    verify_on,
    walk::{From, HashRef, Slots, Walker},
};

pub(super) type Files = BTreeMap<String, Vec<u8>>;

pub(super) const FIRST: &str = "0000000000.seg";
pub(super) const SECOND: &str = "0000000001.seg";
pub(super) const THIRD: &str = "0000000002.seg";

/// A closed log of three segments.
pub(super) fn three_segments(bench: &Bench) -> Files {
    let disk = CrashDisk::new(1);
    bench.closed_log(&disk, small_segments(), 40);
    let files = disk.files();
    assert_eq!(files.keys().collect::<Vec<_>>(), [FIRST, SECOND, THIRD, "head"]);
    files
}

pub(super) fn verdict(bench: &Bench, files: &Files) -> Verdict {
    bench.verify(&CrashDisk::with_files(1, files)).verdict().clone()
}

/// Where each frame of a segment lies.
pub(super) fn frames(segment: &[u8]) -> Vec<Range<usize>> {
    let (mut frames, mut at) = (Vec::new(), BLOCK);
    while let Some(length) = segment[at..].first_chunk::<4>() {
        let end = at + FRAME_HEADER + u32::from_be_bytes(*length) as usize;
        frames.push(at..end);
        at = end;
    }
    frames
}

pub(super) fn damage(verdict: &Verdict) -> Damage {
    match verdict {
        Verdict::Corrupt(damage) => *damage,
        other => panic!("{other}"),
    }
}

/// Flips bits one by one and looks at each verdict. What is named must be where the bit is.
fn flip_every_bit(name: &str, step: usize) {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    bench.closed_log(&disk, small_segments(), 16);
    let files = disk.files();
    assert_eq!(files.len(), 3);
    assert!(bench.verify(&disk).verdict().is_consistent());
    let bytes = &files[name];
    // Not through `verify`: preparing the key anew for each of some 70,000 walks would take most of the time.
    let keys = TrustedKeys::new(&*bench.provider, [bench.key.public()]).unwrap();
    let hash = HashRef(bench.provider.hash());
    let walker = Walker { disk: &disk, hash, keys: &keys, held: None, slots: Slots::Both };
    let frames = if name == "head" { Vec::new() } else { frames(bytes) };
    let before = if name == SECOND { self::frames(&files[FIRST]).len() } else { 0 };
    for byte in 0..bytes.len() {
        // In the blocks every byte but not every bit, as `format` tests those alone bit by bit.
        for bit in (byte % step..8).step_by(if byte < BLOCK || name == "head" { step } else { 1 }) {
            disk.tamper(name, |bytes| bytes[byte] ^= 1 << bit);
            let found = damage(&walker.walk(From::FirstSegment).unwrap().unwrap().verdict);
            disk.tamper(name, |bytes| bytes[byte] ^= 1 << bit);
            match frames.iter().position(|frame| frame.contains(&byte)) {
                Some(frame) => {
                    assert_eq!(found.index, (before + frame) as u64, "{name}, byte {byte}, bit {bit}");
                    assert_eq!(found.offset, frames[frame].start as u64, "{name}, byte {byte}, bit {bit}");
                    assert!(matches!(found.flaw, Flaw::Frame(_)), "{name}, byte {byte}, bit {bit}: {found}");
                }
                None if name == "head" => {
                    assert_eq!(found.flaw, Flaw::HeadSlot, "{name}, byte {byte}, bit {bit}");
                    assert_eq!(found.offset, (byte / BLOCK * BLOCK) as u64);
                }
                None => {
                    assert_eq!(found.flaw, Flaw::Header, "{name}, byte {byte}, bit {bit}: {found}");
                    assert_eq!(found.index, before as u64);
                }
            }
        }
    }
    assert!(bench.verify(&disk).verdict().is_consistent());
}

#[test]
fn every_flipped_bit_of_the_first_segment_is_named() {
    flip_every_bit(FIRST, 8);
}

#[test]
fn every_flipped_bit_of_the_last_segment_is_named() {
    flip_every_bit(SECOND, 8);
}

#[test]
fn every_flipped_byte_of_the_head_is_named() {
    flip_every_bit("head", 8);
}

#[test]
fn frames_that_were_moved_doubled_or_taken_out_are_named() {
    let bench = Bench::new(1);
    let files = three_segments(&bench);
    let segment = &files[FIRST];
    let frames = frames(segment);
    let join = |order: &[usize]| {
        let mut bytes = segment[..BLOCK].to_vec();
        order.iter().for_each(|frame| bytes.extend_from_slice(&segment[frames[*frame].clone()]));
        let mut files = files.clone();
        files.insert(FIRST.into(), bytes);
        verdict(&bench, &files)
    };
    let all: Vec<usize> = (0..frames.len()).collect();
    assert!(join(&all).is_consistent());

    let mut swapped = all.clone();
    swapped.swap(3, 4);
    let found = damage(&join(&swapped));
    assert_eq!(
        (found.flaw, found.index, found.offset),
        (Flaw::OtherEntry { found: 4 }, 3, frames[3].start as u64)
    );

    let mut doubled = all.clone();
    doubled.insert(6, 5);
    let found = damage(&join(&doubled));
    assert_eq!((found.flaw, found.index), (Flaw::OtherEntry { found: 5 }, 6));

    let mut replayed = all.clone();
    replayed[7] = 2;
    let found = damage(&join(&replayed));
    assert_eq!((found.flaw, found.index), (Flaw::OtherEntry { found: 2 }, 7));

    // The file is shorter than the next header says, so something is missing, and it is missing from there on.
    let mut without = all;
    without.remove(5);
    assert_eq!(join(&without), Verdict::Truncated { from: 5, to: frames.len() as u64 });
}

#[test]
fn frames_and_segments_of_another_log_are_named() {
    let (bench, other) = (Bench::new(1), Bench::new(2));
    let (files, others) = (three_segments(&bench), three_segments(&other));
    for name in [FIRST, SECOND, THIRD] {
        let mut mixed = files.clone();
        mixed.insert(name.into(), others[name].clone());
        let found = damage(&verdict(&bench, &mixed));
        assert_eq!(found.flaw, Flaw::OtherLog, "{name}");
    }
    // One frame of the other log, with the same index and the same length, in the place of ours.
    let (ours, theirs) = (frames(&files[FIRST]), frames(&others[FIRST]));
    assert_eq!(ours[4], theirs[4]);
    let mut mixed = files.clone();
    mixed.get_mut(FIRST).unwrap()[ours[4].clone()].copy_from_slice(&others[FIRST][theirs[4].clone()]);
    let found = damage(&verdict(&bench, &mixed));
    assert_eq!((found.flaw, found.index), (Flaw::Frame(FrameFault::Checksum), 4));
    // The other log as a whole is consistent, but nobody we trust signed it.
    let found = damage(&verdict(&bench, &others));
    assert_eq!(found.flaw, Flaw::Checkpoint);
}

#[test]
fn a_missing_segment_is_named_by_its_entries() {
    let bench = Bench::new(1);
    let files = three_segments(&bench);
    let counts: Vec<u64> = [FIRST, SECOND, THIRD].map(|name| frames(&files[name]).len() as u64).into();
    let total: u64 = counts.iter().sum();
    let starts = [0, counts[0], counts[0] + counts[1], total];
    for (missing, name) in [FIRST, SECOND, THIRD].into_iter().enumerate() {
        let mut files = files.clone();
        files.remove(name);
        let expected = Verdict::Truncated { from: starts[missing], to: starts[missing + 1] };
        assert_eq!(verdict(&bench, &files), expected, "{name}");
        let disk = CrashDisk::with_files(1, &files);
        let error = bench.open(&disk, small_segments()).unwrap_err();
        assert_eq!(
            (error.kind(), error.missing()),
            (ErrorKind::Truncated, Some(starts[missing]..starts[missing + 1]))
        );
        assert_eq!(disk.files(), files, "a log that is refused is not touched");
    }
    let mut files = files;
    files.remove("head");
    assert_eq!(damage(&verdict(&bench, &files)).flaw, Flaw::Head);
    let error = bench.open(&CrashDisk::with_files(1, &files), small_segments()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn a_cut_segment_is_named_at_every_length() {
    let bench = Bench::new(1);
    let files = three_segments(&bench);
    let total: u64 = [FIRST, SECOND, THIRD].iter().map(|name| frames(&files[*name]).len() as u64).sum();
    for (name, before) in [(FIRST, 0), (THIRD, frames(&files[FIRST]).len() + frames(&files[SECOND]).len())] {
        let frames = frames(&files[name]);
        let end = if name == FIRST { frames.len() as u64 } else { total };
        for cut in (0..files[name].len()).step_by(31).chain(frames.iter().map(|frame| frame.start)) {
            let mut files = files.clone();
            files.get_mut(name).unwrap().truncate(cut);
            let from = before + frames.iter().filter(|frame| frame.end <= cut).count();
            assert_eq!(
                verdict(&bench, &files),
                Verdict::Truncated { from: from as u64, to: end },
                "{name} at {cut}"
            );
        }
    }
}

#[test]
fn bytes_after_the_end_of_a_closed_log_are_named() {
    let bench = Bench::new(1);
    let files = three_segments(&bench);
    let id = Head::parse(&files["head"]).unwrap().log;
    let mut whole_frame = Vec::new();
    let total = Head::parse(&files["head"]).unwrap().size;
    assert!(FrameSum::new(id, 2).append(total, b"{\"event\":\"forged\"}", &mut whole_frame));
    for surplus in [&[0][..], &whole_frame] {
        let mut files = files.clone();
        files.get_mut(THIRD).unwrap().extend_from_slice(surplus);
        let found = damage(&verdict(&bench, &files));
        assert_eq!((found.flaw, found.segment), (Flaw::Surplus, 2));
        let error = bench.open(&CrashDisk::with_files(1, &files), small_segments()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
    for name in ["0000000003.seg", "0000000009.seg"] {
        let mut files = files.clone();
        files.insert(name.into(), files[THIRD].clone());
        assert!(matches!(verdict(&bench, &files), Verdict::Corrupt(_)), "{name}");
    }
    let mut longer = files.clone();
    longer.get_mut(FIRST).unwrap().push(0);
    let found = damage(&verdict(&bench, &longer));
    assert_eq!((found.flaw, found.segment), (Flaw::Surplus, 0));
    // What is no file of the log is none of its business.
    let mut more = files;
    more.insert("notes.txt".into(), b"hello".to_vec());
    assert!(verdict(&bench, &more).is_consistent());
}

#[test]
fn a_flipped_head_of_a_crashed_log_neither_loses_nor_invents() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config()).unwrap();
    for number in 0..3 {
        record_durably(&log, number).unwrap();
    }
    let files = disk.files();
    drop(log);
    for byte in (0..2 * BLOCK).step_by(97) {
        let mut files = files.clone();
        files.get_mut("head").unwrap()[byte] ^= 1;
        let disk = CrashDisk::with_files(1, &files);
        let report = bench.verify(&disk);
        assert!(report.verdict().is_consistent() && report.tail().is_head_torn, "byte {byte}: {report}");
        bench.open(&disk, config()).unwrap().close().unwrap();
        assert_eq!(numbers(&disk).unwrap(), [0, 1, 2]);
        assert!(bench.verify(&disk).verdict().is_consistent());
    }
    for lost in [0..2 * BLOCK, 0..0] {
        let mut files = files.clone();
        files.get_mut("head").unwrap().splice(.., vec![0; lost.len()]);
        let disk = CrashDisk::with_files(1, &files);
        assert_eq!(damage(bench.verify(&disk).verdict()).flaw, Flaw::Head);
        assert_eq!(bench.open(&disk, config()).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn an_earlier_key_is_believed_when_it_is_named() {
    let (bench, mut later) = (Bench::new(1), Bench::new(2));
    let disk = CrashDisk::new(1);
    bench.closed_log(&disk, config(), 2);
    let error = later.open(&disk, config()).unwrap_err();
    assert_eq!(error.damage().unwrap().flaw, Flaw::Checkpoint);
    later.open(&disk, config().trusting(bench.key.public().clone())).unwrap().close().unwrap();
    let both = later.trusting().trusting(bench.key.public().clone());
    assert!(verify_on(&disk, &both).unwrap().verdict().is_consistent());
    later.key = bench.key;
    assert_eq!(damage(later.verify(&disk).verdict()).flaw, Flaw::Checkpoint);
}

#[test]
fn a_log_of_another_name_is_not_gone_on_with() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    bench.closed_log(&disk, config(), 2);
    let renamed = crate::LogConfig::new("unused", "other.example/audit");
    assert_eq!(bench.open(&disk, renamed).unwrap_err().kind(), ErrorKind::Config);
    assert!(bench.open(&disk, config()).is_ok());
}

#[test]
fn a_torn_end_longer_than_a_commit_is_foreign() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config()).unwrap();
    record_durably(&log, 1).unwrap();
    let files = disk.files();
    drop(log);
    for (length, is_foreign) in [(crate::walk::MAX_COMMIT, false), (crate::walk::MAX_COMMIT + 1, true)] {
        let mut files = files.clone();
        files.get_mut(FIRST).unwrap().extend(vec![0xff; length]);
        let disk = CrashDisk::with_files(1, &files);
        assert_eq!(!bench.verify(&disk).verdict().is_consistent(), is_foreign);
        assert_eq!(bench.open(&disk, config()).is_err(), is_foreign);
    }
}

#[test]
fn closing_in_order_writes_both_head_slots() {
    let bench = Bench::new(1);
    let files = three_segments(&bench);
    for slot in files["head"].chunks(BLOCK) {
        assert_eq!(Head::parse(slot).unwrap().state, State::Closed);
    }
}
