//! Disks that fail, files that others change, clocks that jump.

use bartizan_core::{Clock, NotRecorded, UnixTime};

use super::{Bench, config, events, numbers, record, record_durably, small_segments, wait};
use crate::{Disk, ErrorKind, Health, Query, Reader, Verdict, crash::CrashDisk};

#[test]
fn a_failed_sync_is_final_and_acknowledges_nothing() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config()).unwrap();
    let first = record(&log, 1).unwrap();
    wait(&log, first).unwrap();
    disk.fail_syncs(1);
    let second = record(&log, 2).unwrap();
    assert_eq!(wait(&log, second), Err(NotRecorded));
    // The disk would sync again by now, and say so of bytes that it has dropped.
    assert_eq!(log.health(), Health::Failed(ErrorKind::Storage));
    assert_eq!(record(&log, 3), Err(NotRecorded));
    assert_eq!(wait(&log, second), Err(NotRecorded));
    for failed in [log.flush().map(drop), log.checkpoint().map(drop), log.close().map(drop)] {
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::Storage);
    }
    assert_eq!(wait(&log, first), Ok(()), "what was durable stays so");
    drop(log);
    disk.restart();
    assert!(numbers(&disk).unwrap().starts_with(&[1]));
    let log = bench.open(&disk, config()).unwrap();
    record_durably(&log, 4).unwrap();
    log.close().unwrap();
    assert!(numbers(&disk).unwrap().ends_with(&[4]));
    assert!(bench.verify(&disk).verdict().is_consistent());
}

/// A log that tried again would answer `Ok` here and lose the fact: the model shows that the rule is needed.
#[test]
fn a_sync_after_a_failed_one_says_nothing() {
    let disk = CrashDisk::new(1);
    let file = disk.open("file", crate::Access::NewAppend).unwrap();
    disk.sync_names().unwrap();
    file.append(b"fact").unwrap();
    disk.fail_syncs(1);
    assert!(file.sync().is_err());
    assert!(file.sync().is_ok());
    disk.restart();
    assert!(!disk.files()["file"].starts_with(b"fact"));
}

#[test]
fn a_failed_checkpoint_is_final_too() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config()).unwrap();
    record_durably(&log, 1).unwrap();
    disk.fail_syncs(1);
    assert_eq!(log.checkpoint().unwrap_err().kind(), ErrorKind::Storage);
    assert_eq!(record(&log, 2), Err(NotRecorded));
}

#[test]
fn a_full_disk_refuses_and_keeps_what_was_acknowledged() {
    let bench = Bench::new(1);
    // From no room at all to enough for the batch: short writes of every kind.
    for space in (0..700).step_by(23) {
        let disk = CrashDisk::new(space);
        let log = bench.open(&disk, config()).unwrap();
        record_durably(&log, 1).unwrap();
        disk.leave_space(Some(space));
        let tickets: Vec<_> = (2..4).map(|number| record(&log, number)).collect();
        let waited: Vec<_> =
            tickets.into_iter().map(|ticket| ticket.and_then(|ticket| wait(&log, ticket))).collect();
        assert!(waited.is_sorted_by_key(|waited| waited.is_err()), "{space} bytes: {waited:?}");
        let acked = waited.iter().filter(|waited| waited.is_ok()).count();
        if acked < 2 {
            assert_eq!(log.health(), Health::Failed(ErrorKind::Storage), "{space} bytes");
            assert_eq!(record(&log, 4), Err(NotRecorded));
        }
        drop(log);
        disk.leave_space(None);
        bench.open(&disk, config()).unwrap().close().unwrap();
        let promised: Vec<i64> = (1..=1 + acked as i64).collect();
        assert!(numbers(&disk).unwrap().starts_with(&promised), "{space} bytes");
        assert!(bench.verify(&disk).verdict().is_consistent(), "{space} bytes");
    }
}

#[test]
fn a_disk_without_room_for_the_next_segment_stops_the_log() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, small_segments()).unwrap();
    disk.leave_space(Some(6_000));
    let acked = (0..100).take_while(|number| record_durably(&log, *number).is_ok()).count();
    assert!((5..100).contains(&acked), "{acked}");
    drop(log);
    disk.leave_space(None);
    let log = bench.open(&disk, small_segments()).unwrap();
    record_durably(&log, 1_000).unwrap();
    log.close().unwrap();
    let found = numbers(&disk).unwrap();
    assert!(found.iter().copied().take(acked).eq(0..acked as i64) && found.ends_with(&[1_000]), "{found:?}");
    assert!(bench.verify(&disk).verdict().is_consistent());
}

#[test]
fn a_second_writer_is_refused_until_the_first_has_closed() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config()).unwrap();
    let error = bench.open(&disk, config()).unwrap_err();
    assert_eq!((error.kind(), error.fault()), (ErrorKind::Locked, bartizan_core::Fault::Caller));
    record_durably(&log, 1).unwrap();
    log.close().unwrap();
    let second = bench.open(&disk, config()).unwrap();
    drop(log);
    assert_eq!(bench.open(&disk, config()).unwrap_err().kind(), ErrorKind::Locked);
    drop(second);
    assert!(bench.open(&disk, config()).is_ok());
}

#[test]
fn files_that_others_remove_replace_or_write_to_stop_the_log() {
    type Change = fn(&CrashDisk);
    let changes: [(&str, Change); 4] = [
        ("removed", |disk| disk.remove("0000000000.seg").unwrap()),
        ("replaced", |disk| {
            let copy = disk.files()["0000000000.seg"].clone();
            disk.replace("0000000000.seg", &copy);
        }),
        ("appended to", |disk| disk.tamper("0000000000.seg", |bytes| bytes.push(b'x'))),
        ("cut", |disk| disk.tamper("0000000000.seg", |bytes| bytes.truncate(5_000))),
    ];
    for (change, make) in changes {
        let bench = Bench::new(1);
        let disk = CrashDisk::new(1);
        let log = bench.open(&disk, config()).unwrap();
        for number in 0..9 {
            record_durably(&log, number).unwrap();
        }
        make(&disk);
        assert_eq!(record_durably(&log, 9), Err(NotRecorded), "{change}");
        assert_eq!(log.health(), Health::Failed(ErrorKind::Replaced), "{change}");
        assert_eq!(record(&log, 10), Err(NotRecorded), "{change}");
    }
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config()).unwrap();
    disk.remove("head").unwrap();
    assert_eq!(log.checkpoint().unwrap_err().kind(), ErrorKind::Replaced);
}

#[test]
fn a_clock_that_goes_back_changes_times_and_not_the_order() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    bench.closed_log(&disk, config(), 1);
    bench.clock.set_wall(UnixTime::from_secs(1_600_000_000));
    let log = bench.open(&disk, config()).unwrap();
    record_durably(&log, 1).unwrap();
    let checkpoint = log.close().unwrap();
    assert_eq!(checkpoint.at(), bench.clock.wall());
    assert_eq!(numbers(&disk).unwrap(), [0, 1]);
    assert!(
        matches!(bench.verify(&disk).verdict(), Verdict::ConsistentToCheckpoint { at, .. } if *at == checkpoint.at())
    );
    let reader = Reader::open_on(Box::new(disk)).unwrap();
    let entries: Vec<_> = reader.entries(Query::new()).unwrap().map(Result::unwrap).collect();
    assert!(entries.iter().map(crate::Entry::index).eq(0..6));
    let early = reader.entries(Query::new().until(UnixTime::from_secs(1_650_000_000))).unwrap().count();
    assert_eq!(early, 2, "the two of the log's own second life");
}

#[test]
fn each_life_of_a_log_is_on_record() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    bench.closed_log(&disk, config(), 1);
    let log = bench.open(&disk, config()).unwrap();
    record_durably(&log, 1).unwrap();
    let crashed = CrashDisk::with_files(1, &disk.files());
    bench.open(&crashed, config()).unwrap().close().unwrap();
    assert_eq!(
        events(&crashed),
        [
            "log_started",
            "failed_login",
            "log_stopped",
            "log_started",
            "failed_login",
            "log_started",
            "log_recovered",
            "log_stopped",
        ]
    );
}

#[test]
fn a_configuration_out_of_bounds_is_refused() {
    let bench = Bench::new(1);
    let long = "x".repeat(129);
    for origin in ["", "a b", "a+b", "a\nb", "é", &long] {
        let error = bench.open(&CrashDisk::new(1), crate::LogConfig::new("unused", origin)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{origin:?}");
    }
    for config in [
        config().queue_bytes((256 << 10) - 1),
        config().queue_bytes((1 << 30) + 1),
        config().segment_bytes((8 << 10) - 1),
        config().checkpoint_entries(0),
        config().checkpoint_every(std::time::Duration::ZERO),
        config().linger(std::time::Duration::from_secs(2)),
    ] {
        assert_eq!(bench.open(&CrashDisk::new(1), config).unwrap_err().kind(), ErrorKind::Config);
    }
}

#[test]
fn a_signer_with_the_public_half_of_another_is_refused() {
    use bartizan_crypto::Provider;
    let (bench, other) = (Bench::new(1), Bench::new(2));
    let signer = bench.provider.signer(&bench.key).unwrap();
    let key = crate::CheckpointKey::from_signer(other.key.public().clone(), signer).unwrap();
    let disk = std::sync::Arc::new(CrashDisk::new(1));
    let opened = crate::Log::open_on(
        disk.clone(),
        config(),
        bench.provider.clone(),
        key,
        bench.clock.clone(),
        &bench.entropy,
    );
    assert_eq!(opened.unwrap_err().kind(), ErrorKind::Key);
    assert!(disk.files().is_empty());
}
