//! Losses of power.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use bartizan_core::NotRecorded;

use super::{Bench, config, events, numbers, record, record_durably, small_segments, wait};
use crate::{
    Disk, ErrorKind, Verdict,
    crash::{CrashDisk, WithoutSync},
    format::{BLOCK, Head, segment_number},
};

/// A log that lives again and again, and what it promised.
struct Lives {
    bench: Bench,
    disk: CrashDisk,
    /// What the log is opened on: the disk, or one broken on purpose over it.
    on: Arc<dyn Disk>,
    acked: BTreeSet<i64>,
    next: i64,
}

impl Lives {
    fn new(seed: u64, on: impl FnOnce(CrashDisk) -> Arc<dyn Disk>) -> Self {
        let (bench, disk) = (Bench::new(seed), CrashDisk::new(seed));
        Self { bench, on: on(disk.clone()), disk, acked: BTreeSet::new(), next: 0 }
    }

    /// Opens the log, records until the power goes in the operation after so many, and restarts the machine.
    fn live(&mut self, operations: u64) -> Result<(), ErrorKind> {
        self.disk.cut_power_after(operations);
        let opened = self.bench.open_any(Arc::clone(&self.on), small_segments());
        let result = match opened {
            Err(error) if error.kind() == ErrorKind::Storage => Ok(()),
            Err(error) => Err(error.kind()),
            Ok(log) => loop {
                // Batches of one to three, so that cuts fall inside frames, between them and between segments.
                let batch: Range<i64> = self.next..self.next + 1 + self.next % 3;
                self.next = batch.end;
                let tickets: Result<Vec<_>, NotRecorded> =
                    batch.clone().map(|number| record(&log, number)).collect();
                let Ok(tickets) = tickets else {
                    break Ok(());
                };
                if tickets.iter().any(|ticket| wait(&log, *ticket).is_err()) {
                    break Ok(());
                }
                self.acked.extend(batch);
            },
        };
        self.disk.restart();
        result
    }

    /// The head on the medium lags by less than a segment: the one behind it, if there is one, holds nothing yet.
    fn check_lag(&self) {
        let files = self.disk.files();
        let slots = files.get("head").into_iter().flat_map(|head| head.chunks(BLOCK)).filter_map(Head::parse);
        if let Some(head) = slots.max_by_key(|head| head.generation) {
            let beyond = |name: &str| segment_number(name).is_some_and(|number| number > head.segment);
            assert!(files.iter().all(|(name, bytes)| !beyond(name) || bytes.len() <= BLOCK));
        }
    }

    /// How many acknowledged facts cannot be read any more.
    fn lost(&self) -> usize {
        let found = numbers(&self.disk).unwrap_or_default();
        assert!(found.is_sorted_by(|one, two| one < two), "{found:?}");
        self.acked.difference(&found.into_iter().collect()).count()
    }
}

/// Sixty logs in a row, six losses of power each; `share` of 3 so that tests run beside each other.
fn losses_of_power(share: u64) -> u64 {
    let mut cuts = 0;
    for seed in (0..180).filter(|seed| seed % 3 == share) {
        let mut lives = Lives::new(seed, |disk| Arc::new(disk));
        for round in 0..6 {
            // From the making of the log to some way into the third segment.
            lives.live((seed * 7 + round * 13) % 90).unwrap();
            cuts += 1;
            assert_eq!(lives.lost(), 0, "seed {seed}, round {round}");
            lives.check_lag();
            if lives.acked.is_empty() {
                continue;
            }
            let report = lives.bench.verify(&lives.disk);
            let is_proven = matches!(report.verdict(), Verdict::ConsistentToCheckpoint { .. });
            assert!(is_proven, "seed {seed}, round {round}: {report}");
        }
        // And it goes on as if nothing had been.
        lives.bench.open(&lives.disk, small_segments()).unwrap().close().unwrap();
        assert_eq!(lives.lost(), 0, "seed {seed}");
        assert!(lives.bench.verify(&lives.disk).is_closed());
        assert!(lives.next > 20, "seed {seed}: the lives were too short to show anything");
    }
    cuts
}

#[test]
fn no_acknowledged_fact_is_lost_in_360_losses_of_power() {
    assert_eq!(losses_of_power(0), 360);
}

#[test]
fn no_acknowledged_fact_is_lost_in_360_more_losses_of_power() {
    assert_eq!(losses_of_power(1), 360);
}

#[test]
fn no_acknowledged_fact_is_lost_in_another_360_losses_of_power() {
    assert_eq!(losses_of_power(2), 360);
}

/// The model is worth nothing unless it catches a log that does not sync.
#[test]
fn without_its_sync_the_log_loses_acknowledged_facts() {
    let losing = |seed: &u64| {
        let mut lives = Lives::new(*seed, |disk| Arc::new(WithoutSync(Arc::new(disk))));
        let ended = (0..3).try_for_each(|round| lives.live(40 + round * 7));
        lives.lost() > 0 || matches!(ended, Err(ErrorKind::Truncated | ErrorKind::Corrupt))
    };
    let losing = (0..30).filter(losing).count();
    assert!(losing >= 25, "only {losing} of 30 logs lost something");
}

#[test]
fn a_power_cut_at_each_operation_of_the_making_leaves_a_log_or_none() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(0);
    bench.open(&disk, config()).unwrap();
    let making = disk.operations();
    for seed in 0..4 {
        for operation in 0..making {
            let disk = CrashDisk::new(seed);
            disk.cut_power_after(operation);
            let _ = bench.open(&disk, config());
            disk.restart();
            let log = bench.open(&disk, config());
            let log = log.unwrap_or_else(|error| panic!("seed {seed}, operation {operation}: {error}"));
            record_durably(&log, 1).unwrap();
            log.close().unwrap();
            assert_eq!(numbers(&disk).unwrap(), [1]);
        }
    }
}

#[test]
fn a_power_cut_at_each_operation_of_a_recovery_loses_nothing() {
    let bench = Bench::new(1);
    let torn = CrashDisk::new(3);
    let log = bench.open(&torn, config()).unwrap();
    for number in 0..5 {
        record_durably(&log, number).unwrap();
    }
    let mut files = torn.files();
    files.get_mut("0000000000.seg").unwrap().extend_from_slice(b"\0\0\0\x20torn in the middle of");
    for seed in 0..4 {
        for operation in 0..20 {
            let disk = CrashDisk::with_files(seed, &files);
            disk.cut_power_after(operation);
            let _ = bench.open(&disk, config());
            disk.restart();
            bench.open(&disk, config()).unwrap().close().unwrap();
            assert_eq!(numbers(&disk).unwrap(), [0, 1, 2, 3, 4], "seed {seed}, operation {operation}");
            assert!(bench.verify(&disk).verdict().is_consistent());
        }
    }
}

#[test]
fn a_power_cut_at_each_operation_of_a_reopening_leaves_a_log() {
    let bench = Bench::new(1);
    let closed = CrashDisk::new(3);
    bench.closed_log(&closed, config(), 3);
    for seed in 0..4 {
        for operation in 0..20 {
            let disk = CrashDisk::with_files(seed, &closed.files());
            disk.cut_power_after(operation);
            let _ = bench.open(&disk, config()).map(|log| log.close());
            disk.restart();
            let log = bench.open(&disk, config());
            log.unwrap_or_else(|error| panic!("seed {seed}, operation {operation}: {error}"))
                .close()
                .unwrap();
            assert_eq!(numbers(&disk).unwrap(), [0, 1, 2]);
            assert!(bench.verify(&disk).verdict().is_consistent());
        }
    }
}

/// What a killed process wrote can be read, but only a sync brings it onto the medium.
#[test]
fn a_kill_and_then_a_power_cut_in_the_recovery_lose_nothing() {
    for seed in 0..8 {
        for operation in 0..24 {
            let mut lives = Lives::new(seed, |disk| Arc::new(disk));
            lives.disk.cut_power_after(u64::MAX);
            let log = lives.bench.open(&lives.disk, config()).unwrap();
            record_durably(&log, 0).unwrap();
            lives.acked.insert(0);
            // The process ends between a write and its sync, or after it, or after the head.
            lives.disk.cut_power_after(seed % 4 + 1);
            let ticket = record(&log, 1).unwrap();
            if wait(&log, ticket).is_ok() {
                lives.acked.insert(1);
            }
            lives.disk.kill_process();
            drop(log);
            lives.disk.cut_power_after(operation);
            if let Ok(log) = lives.bench.open(&lives.disk, config())
                && record_durably(&log, 2).is_ok()
            {
                lives.acked.insert(2);
            }
            lives.disk.restart();
            let log = lives.bench.open(&lives.disk, config());
            log.unwrap_or_else(|error| panic!("seed {seed}, operation {operation}: {error}"))
                .close()
                .unwrap();
            assert_eq!(lives.lost(), 0, "seed {seed}, operation {operation}");
        }
    }
}

#[test]
fn a_file_cut_at_every_byte_of_its_last_3_frames_keeps_what_was_acknowledged() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config()).unwrap();
    for number in 0..4 {
        record_durably(&log, number).unwrap();
    }
    // The head as it stood when these four were acknowledged; then one commit of three facts whose head is lost.
    let acknowledged = disk.files();
    let tickets: Vec<_> = (4..7).map(|number| record(&log, number).unwrap()).collect();
    wait(&log, tickets[2]).unwrap();
    let mut files = disk.files();
    files.insert("head".into(), acknowledged["head"].clone());
    let (start, whole) = (acknowledged["0000000000.seg"].len(), files["0000000000.seg"].clone());
    drop(log);
    for cut in start..=whole.len() {
        files.insert("0000000000.seg".into(), whole[..cut].to_vec());
        let disk = CrashDisk::with_files(1, &files);
        let log = bench.open(&disk, config()).unwrap();
        record_durably(&log, 99).unwrap();
        log.close().unwrap();
        let found = numbers(&disk).unwrap();
        assert!(found.starts_with(&[0, 1, 2, 3]) && found.ends_with(&[99]), "cut at {cut}: {found:?}");
        assert!(bench.verify(&disk).verdict().is_consistent(), "cut at {cut}");
        // The bytes that were cut are set aside, and the log says so.
        let ends: Vec<usize> = ends_of_frames(&whole);
        let kept = ends.iter().copied().filter(|end| *end <= cut).max().unwrap();
        let is_torn = whole[kept..cut].iter().any(|byte| *byte != 0);
        let set_aside: Vec<Vec<u8>> = disk
            .files()
            .into_iter()
            .filter(|(name, _)| name.starts_with("torn-"))
            .map(|(_, torn)| torn)
            .collect();
        assert_eq!(set_aside, if is_torn { vec![whole[kept..cut].to_vec()] } else { vec![] }, "cut at {cut}");
        assert!(events(&disk).contains(&"log_recovered".into()));
    }
}

fn ends_of_frames(segment: &[u8]) -> Vec<usize> {
    let mut ends = vec![4_096];
    while let Some(header) = segment.get(ends[ends.len() - 1]..).and_then(|rest| rest.first_chunk::<4>()) {
        ends.push(ends[ends.len() - 1] + 16 + u32::from_be_bytes(*header) as usize);
    }
    ends
}

#[test]
fn committed_bytes_that_are_missing_are_no_torn_end() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config()).unwrap();
    for number in 0..4 {
        record_durably(&log, number).unwrap();
    }
    // As a killed process leaves it: open, and its head not signed since the start.
    let files = disk.files();
    drop(log);
    let whole = &files["0000000000.seg"];
    for cut in [1, 20, whole.len() - 4_096, whole.len()] {
        let mut files = files.clone();
        files.insert("0000000000.seg".into(), whole[..whole.len() - cut].to_vec());
        let disk = CrashDisk::with_files(1, &files);
        let error = bench.open(&disk, config()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Truncated, "{cut} bytes");
        let missing = error.missing().unwrap();
        assert_eq!(missing.end, 5, "{cut} bytes: {error}");
        assert!(missing.start < 5);
        assert_eq!(disk.files(), files, "a log that is refused is not touched");
    }
}
