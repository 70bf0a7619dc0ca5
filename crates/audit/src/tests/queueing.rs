//! The queue: bounds, classes, waking.

use std::{
    io,
    sync::{Arc, Condvar, Mutex},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use bartizan_core::{Clock, Delivery, NotRecorded, Recorder, Ticket, os};

use super::{Bench, config, events, numbers, record, record_durably, wait, with_number};
use crate::{Access, Disk, DiskFile, ErrorKind, Health, Lock, Log, Query, Reader, crash::CrashDisk};

/// A disk whose files take nothing while it is held.
#[derive(Clone, Debug)]
struct Held {
    disk: CrashDisk,
    is_held: Arc<(Mutex<bool>, Condvar)>,
}

impl Held {
    fn over(disk: &CrashDisk) -> Self {
        Self { disk: disk.clone(), is_held: Arc::default() }
    }

    fn set(&self, is_held: bool) {
        *self.is_held.0.lock().unwrap() = is_held;
        self.is_held.1.notify_all();
    }

    fn pass(&self) {
        drop(self.is_held.1.wait_while(self.is_held.0.lock().unwrap(), |is_held| *is_held).unwrap());
    }
}

impl Disk for Held {
    fn lock(&self) -> io::Result<Box<dyn Lock>> {
        self.disk.lock()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.disk.names()
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(HeldFile { file: self.disk.open(name, access)?, disk: self.clone() }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.disk.sync_names()
    }
}

#[derive(Debug)]
struct HeldFile {
    file: Box<dyn DiskFile>,
    disk: Held,
}

impl DiskFile for HeldFile {
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.pass();
        self.file.append(bytes)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.file.write_at(bytes, offset)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.file.truncate(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn is_in_place(&self) -> io::Result<bool> {
        self.file.is_in_place()
    }
}

fn record_as(log: &Log, number: i64, delivery: Delivery) -> Result<Ticket, NotRecorded> {
    with_number(number, |fact| log.record(&fact.delivered(delivery)))
}

/// A log whose committer is stuck in a write, so that the queue only fills.
fn stuck(bench: &Bench, disk: &CrashDisk) -> (Arc<Log>, Held) {
    let held = Held::over(disk);
    let log = bench.open_any(Arc::new(held.clone()), config().queue_bytes(256 << 10)).unwrap();
    held.set(true);
    let operations = disk.operations();
    record_as(&log, -1, Delivery::Critical).unwrap();
    while log.queued_bytes() > 0 {
        std::thread::yield_now();
    }
    assert_eq!(disk.operations(), operations);
    (log, held)
}

#[test]
fn each_class_has_its_share_of_the_queue_and_nothing_is_lost_unsaid() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let (log, held) = stuck(&bench, &disk);
    let (mut next, mut dropped, mut expected) = (0, 0, vec![-1]);
    let mut fill = |delivery: Delivery| {
        let mut taken = 0;
        loop {
            next += 1;
            match record_as(&log, next, delivery) {
                Ok(Ticket(0)) => {
                    dropped += 1;
                    assert_eq!(wait(&log, Ticket(0)), Err(NotRecorded), "a dropped fact is never durable");
                    break taken;
                }
                Ok(_) => {
                    taken += 1;
                    expected.push(next);
                }
                Err(NotRecorded) => break taken,
            }
        }
    };
    let bulk = fill(Delivery::Bulk);
    assert_eq!(fill(Delivery::Bulk), 0);
    let standard = fill(Delivery::Standard);
    assert_eq!(fill(Delivery::Standard), 0);
    let critical = fill(Delivery::Critical);
    assert_eq!(fill(Delivery::Critical), 0);
    assert_eq!(fill(Delivery::Bulk), 0);
    // Half, three eighths, one eighth.
    assert!(
        bulk > 500 && (critical * 3 - 3..=critical * 3 + 3).contains(&standard),
        "{bulk} {standard} {critical}"
    );
    assert!((critical * 4 - 4..=critical * 4 + 4).contains(&bulk), "{bulk} {standard} {critical}");
    assert_eq!(dropped, 3);

    held.set(false);
    log.close().unwrap();
    assert_eq!(numbers(&disk).unwrap(), expected);
    let gaps: Vec<_> = Reader::open_on(Box::new(disk.clone()))
        .unwrap()
        .entries(Query::new().event("log_gap"))
        .unwrap()
        .map(|entry| serde_json::from_str::<serde_json::Value>(entry.unwrap().json()).unwrap())
        .collect();
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0]["details"]["dropped"], 3);
    assert!(bench.verify(&disk).verdict().is_consistent());
}

#[test]
fn a_refused_fact_leaves_the_queue_as_it_was() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let (log, held) = stuck(&bench, &disk);
    while record(&log, 1).is_ok() {}
    let queued = log.queued_bytes();
    assert!(record(&log, 2).is_err());
    assert_eq!(log.queued_bytes(), queued);
    held.set(false);
    log.flush().unwrap();
    record_durably(&log, 3).unwrap();
    log.close().unwrap();
    assert!(numbers(&disk).unwrap().ends_with(&[1, 3]));
}

#[test]
fn many_producers_lose_nothing_and_keep_their_own_order() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config().segment_bytes(32 << 10)).unwrap();
    std::thread::scope(|scope| {
        for producer in 0..8 {
            let log = &log;
            scope.spawn(move || {
                for number in 0..60 {
                    let delivery = if number % 3 == 0 { Delivery::Critical } else { Delivery::Standard };
                    let ticket = record_as(log, producer * 1_000 + number, delivery).unwrap();
                    if number % 2 == 0 {
                        wait(log, ticket).unwrap();
                        assert_eq!(wait(log, ticket), Ok(()), "ready stays ready");
                    }
                }
            });
        }
    });
    log.close().unwrap();
    let found = numbers(&disk).unwrap();
    assert_eq!(found.len(), 480);
    for producer in 0..8 {
        let own: Vec<i64> = found.iter().copied().filter(|number| number / 1_000 == producer).collect();
        assert!(own.iter().copied().eq(producer * 1_000..producer * 1_000 + 60), "{own:?}");
    }
    assert!(bench.verify(&disk).verdict().is_consistent());
    assert!(bench.verify(&disk).segments() > 2);
}

#[test]
fn facts_that_nobody_waits_for_become_durable_by_themselves() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config()).unwrap();
    let before = log.size();
    record(&log, 1).unwrap();
    while log.size() == before {
        std::thread::yield_now();
    }
    assert_eq!(numbers(&disk).unwrap(), [1]);
}

#[test]
fn whoever_waits_does_not_wait_for_others_to_share_a_sync() {
    let bench = Bench::new(1);
    let log = bench.open(&CrashDisk::new(1), config().linger(Duration::from_secs(1))).unwrap();
    let clock = os::SystemClock;
    let before = clock.monotonic();
    for number in 0..3 {
        let ticket = record(&log, number).unwrap();
        // The committer is awake by then and lingers.
        let recorded = clock.monotonic();
        while clock.monotonic().since(recorded) < Duration::from_millis(20) {
            std::thread::yield_now();
        }
        wait(&log, ticket).unwrap();
    }
    let taken = clock.monotonic().since(before);
    assert!(taken < Duration::from_secs(2), "three lingering waits are three seconds: {taken:?}");
}

#[test]
fn checkpoints_follow_by_time_and_by_number() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let config = config().checkpoint_every(Duration::from_millis(10)).checkpoint_entries(5);
    let log = bench.open(&disk, config).unwrap();
    let signed = || bench.verify(&disk).checkpoint().unwrap().size();
    record_durably(&log, 1).unwrap();
    while signed() < log.size() {
        std::thread::yield_now();
    }
    // The clock of the log stands still, so that only their number can be the reason now.
    drop(log);
    let log =
        bench.open(&disk, super::config().checkpoint_entries(5).checkpoint_every(Duration::from_secs(3_600)));
    let log = log.unwrap();
    let before = signed();
    for number in 2..6 {
        record_durably(&log, number).unwrap();
    }
    assert_eq!(signed(), before);
    record_durably(&log, 6).unwrap();
    log.flush().unwrap();
    while signed() < before + 5 {
        std::thread::yield_now();
    }
}

#[test]
fn a_checkpoint_covers_all_that_was_recorded_before() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config().linger(Duration::from_secs(1))).unwrap();
    for number in 0..3 {
        record(&log, number).unwrap();
    }
    let checkpoint = log.checkpoint().unwrap();
    assert_eq!((checkpoint.size(), checkpoint.log()), (4, log.id()));
    assert_eq!(numbers(&disk).unwrap(), [0, 1, 2]);
    let closed = log.close().unwrap();
    assert_eq!(closed.size(), 5);
    assert_eq!(log.close().unwrap(), closed, "closing again says the same again");
    assert_eq!(log.health(), Health::Closed);
    assert_eq!(record(&log, 9), Err(NotRecorded));
    assert_eq!(
        log.checkpoint().map(|again| again.size()).map_err(|error| error.kind()),
        Err(ErrorKind::Closed)
    );
}

#[test]
fn dropping_the_last_handle_closes_in_order() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config()).unwrap();
    for number in 0..100 {
        record(&log, number).unwrap();
    }
    drop(log);
    let report = bench.verify(&disk);
    assert!(report.is_closed() && report.tail() == crate::Tail::default(), "{report}");
    assert_eq!(report.checkpoint().unwrap().size(), report.entries());
    assert_eq!(numbers(&disk).unwrap().len(), 100);
    assert_eq!(events(&disk).last().unwrap(), "log_stopped");
}

#[test]
fn a_ticket_that_was_never_given_is_no_promise() {
    let bench = Bench::new(1);
    let log = bench.open(&CrashDisk::new(1), config()).unwrap();
    for ticket in [0, 1, u64::MAX] {
        assert_eq!(wait(&log, Ticket(ticket)), Err(NotRecorded));
    }
}

/// Counts, and does something once.
struct Counter(Mutex<(usize, Option<Act>)>);

type Act = Box<dyn FnOnce() + Send>;

impl Counter {
    fn doing(act: impl FnOnce() + Send + 'static) -> Arc<Self> {
        Arc::new(Self(Mutex::new((0, Some(Box::new(act))))))
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().0
    }
}

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        let act = {
            let mut state = self.0.lock().unwrap();
            state.0 += 1;
            state.1.take()
        };
        if let Some(act) = act {
            act();
        }
    }
}

#[test]
fn every_task_that_waits_for_one_ticket_is_woken_once() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let (log, held) = stuck(&bench, &disk);
    let ticket = record(&log, 1).unwrap();
    let counters = [Counter::doing(|| {}), Counter::doing(|| {})];
    for counter in counters.iter().chain(&counters) {
        let waker = Waker::from(Arc::clone(counter));
        assert_eq!(log.poll_durable(ticket, &mut Context::from_waker(&waker)), Poll::Pending);
    }
    held.set(false);
    wait(&log, ticket).unwrap();
    log.close().unwrap();
    assert_eq!(counters.map(|counter| counter.count()), [1, 1]);
}

#[test]
fn a_waker_that_panics_fails_the_log_and_hangs_nobody() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let (log, held) = stuck(&bench, &disk);
    let ticket = record(&log, 1).unwrap();
    let waker = Waker::from(Counter::doing(|| panic!("a task's own fault")));
    assert_eq!(log.poll_durable(ticket, &mut Context::from_waker(&waker)), Poll::Pending);
    held.set(false);
    assert_eq!(log.close().unwrap_err().kind(), ErrorKind::Bug);
    assert_eq!(log.health(), Health::Failed(ErrorKind::Bug));
    assert_eq!(record(&log, 2), Err(NotRecorded));
    drop(log);
    bench.open(&disk, config()).unwrap().close().unwrap();
    assert_eq!(numbers(&disk).unwrap(), [-1, 1]);
}

#[test]
fn the_committer_may_drop_the_last_handle() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let (log, held) = stuck(&bench, &disk);
    let ticket = record(&log, 1).unwrap();
    let handle = Arc::clone(&log);
    let waker = Waker::from(Counter::doing(move || drop(handle)));
    assert_eq!(log.poll_durable(ticket, &mut Context::from_waker(&waker)), Poll::Pending);
    drop((waker, log));
    held.set(false);
    // The committer ends by itself and frees the lock.
    let log = loop {
        match bench.open(&disk, config()) {
            Ok(log) => break log,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Locked, "{error}"),
        }
    };
    assert_eq!(numbers(&disk).unwrap(), [-1, 1]);
    drop(log);
}
