//! Tests of the whole crate on the disk that loses power.

mod cuts;
mod disks;
mod faults;
mod forging;
mod notes;
mod payloads;
mod queries;
mod queueing;
mod tampering;
mod tree;

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::Thread,
};

use bartizan_audit_events::Event;
use bartizan_core::{
    Detail, DetailValue, Fact, NotRecorded, Origin, Outcome, Recorder, Subject, Target, Ticket, UnixTime,
};
use bartizan_crypto::{PrivateKey, Provider, SignatureAlgorithm};
use bartizan_crypto_ring::Ring;
use bartizan_testkit::{ManualClock, SeededEntropy};

use crate::{
    CheckpointKey, Disk, Error, Log, LogConfig, Query, Reader, Report, VerifyOptions, crash::CrashDisk,
    verify_on,
};

const ORIGIN: &str = "test.example/audit";

/// What a test needs to open and verify logs.
struct Bench {
    provider: Arc<Ring>,
    key: PrivateKey,
    clock: Arc<ManualClock>,
    entropy: SeededEntropy,
}

impl Bench {
    fn new(seed: u64) -> Self {
        let (provider, entropy) = (Arc::new(Ring::new()), SeededEntropy::new(seed));
        let key = provider.generate(SignatureAlgorithm::Ed25519, &entropy).unwrap();
        let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_700_000_000)));
        Self { provider, key, clock, entropy }
    }

    fn open(&self, disk: &CrashDisk, config: LogConfig) -> Result<Arc<Log>, Error> {
        self.open_any(Arc::new(disk.clone()), config)
    }

    fn open_any(&self, disk: Arc<dyn Disk>, config: LogConfig) -> Result<Arc<Log>, Error> {
        let key = CheckpointKey::new(&*self.provider, &self.key)?;
        Log::open_on(disk, config, self.provider.clone(), key, self.clock.clone(), &self.entropy)
    }

    fn trusting(&self) -> VerifyOptions {
        VerifyOptions::new(self.provider.clone()).trusting(self.key.public().clone())
    }

    fn verify(&self, disk: &CrashDisk) -> Report {
        verify_on(disk, &self.trusting()).unwrap()
    }

    /// A log of so many numbered facts, closed in order.
    fn closed_log(&self, disk: &CrashDisk, config: LogConfig, facts: i64) {
        let log = self.open(disk, config).unwrap();
        for number in 0..facts {
            record(&log, number).unwrap();
        }
        log.close().unwrap();
    }
}

fn config() -> LogConfig {
    LogConfig::new("unused", ORIGIN)
}

/// Segments that end after some ten facts.
fn small_segments() -> LogConfig {
    config().segment_bytes(8 << 10)
}

fn with_number<R>(number: i64, run: impl FnOnce(&Fact<'_>) -> R) -> R {
    let details = [Detail { name: "n", value: DetailValue::Number(number) }];
    run(&Event::FAILED_LOGIN
        .fact(
            Outcome::Failure,
            UnixTime::from_secs(1_700_000_000 + number),
            Subject::Claimed { tenant: "north", subject: "ada" },
            Target::Named { kind: "route", name: "/login" },
            Origin::service("clinic"),
        )
        .with(&details))
}

fn record(log: &Log, number: i64) -> Result<Ticket, NotRecorded> {
    with_number(number, |fact| log.record(fact))
}

/// Records and waits until it is durable.
fn record_durably(log: &Log, number: i64) -> Result<(), NotRecorded> {
    let ticket = record(log, number)?;
    wait(log, ticket)
}

fn wait(log: &Log, ticket: Ticket) -> Result<(), NotRecorded> {
    block_on(std::future::poll_fn(|cx| log.poll_durable(ticket, cx)))
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The numbers of all numbered facts, in the order of their entries.
fn numbers(disk: &CrashDisk) -> Result<Vec<i64>, Error> {
    let reader = Reader::open_on(Box::new(disk.clone()))?;
    let number = |json: &str| {
        let entry: serde_json::Value = serde_json::from_str(json).unwrap();
        entry["details"]["n"].as_i64().unwrap()
    };
    reader.entries(Query::new().event("failed_login"))?.map(|entry| Ok(number(entry?.json()))).collect()
}

/// The events of all entries.
fn events(disk: &CrashDisk) -> Vec<String> {
    let reader = Reader::open_on(Box::new(disk.clone())).unwrap();
    let event = |json: &str| {
        let entry: serde_json::Value = serde_json::from_str(json).unwrap();
        entry["event"].as_str().unwrap().to_owned()
    };
    reader.entries(Query::new()).unwrap().map(|entry| event(entry.unwrap().json())).collect()
}
