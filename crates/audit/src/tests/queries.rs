//! Reading and finding entries.

use std::{fmt, io, sync::Mutex};

use bartizan_audit_events::Event;
use bartizan_core::{Fact, Origin, Outcome, Recorder, Resource, Subject, Target, UnixTime};
use proptest::prelude::*;

use super::{Bench, config, record, record_durably, small_segments};
use crate::{
    Access, Disk, DiskFile, Entry, ErrorKind, Flaw, Lock, Query, Reader, crash::CrashDisk, verify_on,
};

fn reader(disk: &CrashDisk) -> Reader {
    Reader::open_on(Box::new(disk.clone())).unwrap()
}

fn indices(disk: &CrashDisk, query: Query) -> Vec<u64> {
    reader(disk).entries(query).unwrap().map(|entry| entry.unwrap().index()).collect()
}

/// 60 entries in several segments: `log_started`, 58 facts, and the rotations and the end that come with them.
fn log_of_60(bench: &Bench) -> (CrashDisk, u64) {
    let disk = CrashDisk::new(1);
    bench.closed_log(&disk, small_segments(), 58);
    let size = reader(&disk).size().unwrap();
    assert!(size > 60 && disk.files().len() > 4);
    (disk, size)
}

#[test]
fn a_range_begins_and_ends_where_it_says() {
    let bench = Bench::new(1);
    let (disk, size) = log_of_60(&bench);
    assert!(indices(&disk, Query::new()).into_iter().eq(0..size));
    for from in 0..=size + 1 {
        assert!(indices(&disk, Query::new().from(from)).into_iter().eq(from..size), "from {from}");
        assert!(indices(&disk, Query::new().to(from)).into_iter().eq(0..from.min(size)), "to {from}");
        assert!(
            indices(&disk, Query::new().from(from).to(from + 3).limit(2))
                .into_iter()
                .eq(from.min(size)..(from + 2).min(size))
        );
    }
    assert_eq!(indices(&disk, Query::new().limit(0)), [0; 0]);
    assert_eq!(indices(&disk, Query::new().from(9).to(3)), [0; 0]);
}

#[test]
fn a_limit_pages_through_everything_once() {
    let bench = Bench::new(1);
    let (disk, size) = log_of_60(&bench);
    let (mut from, mut seen) = (0, Vec::new());
    loop {
        let page = indices(&disk, Query::new().from(from).limit(7).event("failed_login"));
        let Some(last) = page.last() else {
            break;
        };
        from = last + 1;
        assert!(page.len() <= 7);
        seen.extend(page);
    }
    assert_eq!(seen, indices(&disk, Query::new().event("failed_login")));
    assert_eq!(seen.len(), 58);
    assert!(seen.len() < usize::try_from(size).unwrap());
}

fn fact<'a>(event: Event, outcome: Outcome, at: i64, subject: Subject<'a>, target: Target<'a>) -> Fact<'a> {
    event.fact(outcome, UnixTime::from_secs(at), subject, target, Origin::service("clinic"))
}

#[test]
fn each_condition_finds_its_entries_and_all_must_hold() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config()).unwrap();
    let route = Target::Named { kind: "route", name: "/" };
    let north = Target::Resource(Resource::record("north", "patient", "p-1"));
    let ada = Subject::Claimed { tenant: "south", subject: "ada" };
    let facts = [
        fact(Event::FAILED_LOGIN, Outcome::Failure, 100, ada, route),
        fact(
            Event::FAILED_LOGIN,
            Outcome::Failure,
            200,
            Subject::Claimed { tenant: "north", subject: "bob \"the\nbuilder\"" },
            route,
        ),
        fact(Event::TOKEN_REFUSED, Outcome::Denied, 300, ada, north),
        fact(Event::TOKEN_REFUSED, Outcome::Success, 400, Subject::Anonymous, route),
    ];
    for fact in &facts {
        log.record(fact).unwrap();
    }
    log.flush().unwrap();
    // `log_started` is entry 0, at another time.
    let found = |query: Query| indices(&disk, query.from(1));
    assert_eq!(found(Query::new()), [1, 2, 3, 4]);
    assert_eq!(found(Query::new().event("failed_login")), [1, 2]);
    assert_eq!(found(Query::new().event("failed")), [0; 0]);
    assert_eq!(found(Query::new().subject("ada")), [1, 3]);
    assert_eq!(found(Query::new().subject("bob \"the\nbuilder\"")), [2]);
    assert_eq!(found(Query::new().outcome(Outcome::Failure)), [1, 2]);
    assert_eq!(found(Query::new().tenant("north")), [2, 3], "a target's tenant goes before a claim");
    assert_eq!(found(Query::new().tenant("south")), [1]);
    assert_eq!(found(Query::new().since(UnixTime::from_secs(200))), [2, 3, 4]);
    assert_eq!(found(Query::new().until(UnixTime::from_secs(200))), [1]);
    assert_eq!(found(Query::new().since(UnixTime::from_nanos(200_000_000_001))), [3, 4]);
    assert_eq!(found(Query::new().subject("ada").outcome(Outcome::Denied)), [3]);
    assert_eq!(found(Query::new().subject("ada").event("log_started")), [0; 0]);
}

#[test]
fn a_log_that_is_written_is_read_beside_it() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, small_segments()).unwrap();
    let reader = reader(&disk);
    for number in 0..60 {
        record_durably(&log, number).unwrap();
        assert_eq!(reader.size().unwrap(), log.size());
        let last = reader.entries(Query::new().from(log.size() - 1)).unwrap().next().unwrap().unwrap();
        assert!(last.json().contains(&format!("\"n\":{number}")) || last.json().contains("log_rotated"));
    }
    assert!(bench.verify(&disk).verdict().is_consistent());
}

/// A disk on which something happens once, when a segment is opened.
struct Meanwhile {
    disk: CrashDisk,
    act: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.disk.fmt(f)
    }
}

impl Disk for Meanwhile {
    fn lock(&self) -> io::Result<Box<dyn Lock>> {
        self.disk.lock()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.disk.names()
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        if name == "0000000000.seg"
            && let Some(act) = self.act.lock().unwrap().take()
        {
            act();
        }
        self.disk.open(name, access)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.disk.sync_names()
    }
}

#[test]
fn a_log_that_is_opened_while_it_is_verified_is_not_damaged() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    bench.closed_log(&disk, small_segments(), 5);
    let options = bench.trusting();
    let reopened = disk.clone();
    // The head said “closed” when it was read, and then entries follow.
    let act = move || bench.closed_log(&reopened, small_segments(), 30);
    let meanwhile = Meanwhile { disk, act: Mutex::new(Some(Box::new(act))) };
    let report = verify_on(&meanwhile, &options).unwrap();
    assert!(report.verdict().is_consistent(), "{report}");
    assert!(report.entries() > 35 && report.segments() > 1);
}

#[test]
fn entries_before_a_damage_are_read_and_then_it_is_named() {
    let bench = Bench::new(1);
    let (disk, size) = log_of_60(&bench);
    let start = disk.files()["0000000001.seg"].len() - 40;
    disk.tamper("0000000001.seg", |bytes| bytes[start] ^= 1);
    let reader = reader(&disk);
    let read: Vec<Result<Entry, _>> = reader.entries(Query::new()).unwrap().collect();
    let (last, before) = read.split_last().unwrap();
    let error = last.as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(matches!(error.damage().unwrap().flaw, Flaw::Frame(_)));
    assert_eq!(error.damage().unwrap().index, before.len() as u64);
    assert!(before.iter().all(Result::is_ok));
    assert!((before.len() as u64) < size);
    // What lies behind the damage in another segment is read when it is asked for.
    assert!(reader.entries(Query::new().from(size - 1)).unwrap().all(|entry| entry.is_ok()));
}

#[test]
fn where_there_is_no_log_there_is_nothing_to_read() {
    let disk = CrashDisk::new(1);
    assert_eq!(Reader::open_on(Box::new(disk.clone())).unwrap_err().kind(), ErrorKind::Absent);
    disk.replace("0000000000.seg", b"");
    assert_eq!(Reader::open_on(Box::new(disk)).unwrap_err().kind(), ErrorKind::Corrupt);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn files_of_arbitrary_bytes_are_refused_without_a_panic(
        segment in proptest::collection::vec(any::<u8>(), 0..6_000),
        head in proptest::collection::vec(any::<u8>(), 0..9_000),
        is_header_kept: bool,
    ) {
        let bench = Bench::new(1);
        let disk = CrashDisk::new(1);
        let log = bench.open(&disk, config()).unwrap();
        record(&log, 1).unwrap();
        drop(log);
        if is_header_kept {
            disk.tamper("0000000000.seg", |bytes| {
                bytes.truncate(4_096);
                bytes.extend_from_slice(&segment);
            });
        } else {
            disk.replace("0000000000.seg", &segment);
            disk.replace("head", &head);
        }
        if let Ok(reader) = Reader::open_on(Box::new(disk.clone())) {
            let _ = reader.entries(Query::new().event("failed_login")).map(Iterator::count);
        }
        prop_assert!(!bench.verify(&disk).verdict().is_consistent());
        // Less than a header, and no head: nothing was ever acknowledged here, and a log may begin.
        let is_unfinished = !is_header_kept && segment.len() <= 4_096;
        prop_assert_eq!(bench.open(&disk, config()).is_ok(), is_unfinished);
    }
}
