//! Kills a writing process again and again, and looks for what it was promised. Shared by the test and the example.

use std::{
    collections::BTreeSet,
    error::Error,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use bartizan_audit::{CheckpointKey, Log, LogConfig, Query, Reader, VerifyOptions, verify};
use bartizan_audit_events::Event;
use bartizan_core::{
    Clock, Detail, DetailValue, Entropy, NotRecorded, Origin, Outcome, Recorder, SecretArray, Subject,
    Target, Ticket, os,
};
use bartizan_crypto::{PrivateKey, Provider, SignatureAlgorithm};
use bartizan_crypto_ring::Ring;

type Failure = Box<dyn Error>;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) kills: usize,
    pub(crate) acknowledged: usize,
    /// Kills after which torn bytes were set aside or whole entries lay behind the head.
    pub(crate) unclean: usize,
}

/// Lets `child` start a process that runs [`append`] in this directory, and kills it, so many times.
pub(crate) fn run(
    kills: usize,
    directory: &Path,
    child: impl Fn(&Path, i64) -> Command,
) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let (mut acked, mut next, mut read) = (BTreeSet::new(), 0, 0);
    for kill in 0..kills {
        let mut child = child(directory, next).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no pipe")?).lines();
        // Often while it writes, sometimes while it opens and repairs.
        let patience = random()? % 20;
        let mut heard = Vec::new();
        while heard.len() < usize::try_from(patience)? {
            match lines.next() {
                Some(line) => heard.extend(number_of(&line?)),
                None => {
                    return Err(format!("kill {kill}: the child ended by itself: {}", child.wait()?).into());
                }
            }
        }
        for _ in 0..random()? % 3_000 {
            std::thread::yield_now();
        }
        child.kill()?;
        child.wait()?;
        for line in lines {
            heard.extend(number_of(&line?));
        }
        // Each number says that it and all before it since the start are durable.
        if let Some(last) = heard.last() {
            acked.extend(next..=*last);
        }
        if acked.is_empty() && Reader::open(directory).is_err() {
            continue;
        }
        let report = verify(directory, &options()?)?;
        if !report.verdict().is_consistent() {
            return Err(format!("kill {kill}: {report}").into());
        }
        tally.unclean += usize::from(report.tail() != bartizan_audit::Tail::default());
        let reader = Reader::open(directory)?;
        for entry in reader.entries(Query::new().from(read))? {
            let entry = entry?;
            read = entry.index() + 1;
            let fact: serde_json::Value = serde_json::from_str(entry.json())?;
            if let Some(number) = fact.pointer("/details/n").and_then(serde_json::Value::as_i64) {
                if number < next {
                    return Err(format!("kill {kill}: {number} stands there twice").into());
                }
                next = number + 1;
                acked.remove(&number);
                tally.acknowledged += 1;
            }
        }
        if let Some(lost) = acked.first() {
            return Err(format!("kill {kill}: {lost} was acknowledged and is lost").into());
        }
        tally.kills += 1;
    }
    Ok(tally)
}

/// Records numbers from `next` on, and prints each once it is durable. Ends after so many, or with the pipe.
pub(crate) fn append(directory: &Path, next: i64, count: i64) -> Result<(), Failure> {
    let provider = Arc::new(Ring::new());
    let config = LogConfig::new(directory, "crash.example/loop")
        .segment_bytes(32 << 10)
        .checkpoint_every(Duration::from_millis(10));
    let key = CheckpointKey::new(&*provider, &key()?)?;
    let log = Log::open(config, provider, key, Arc::new(os::SystemClock), &os::OsEntropy)?;
    let mut number = next;
    while number < next + count {
        // One to four facts share a sync.
        let upto = number + number % 4;
        let mut ticket = None;
        while number <= upto {
            ticket = Some(record(&log, number)?);
            number += 1;
        }
        wait(&log, ticket.ok_or("no ticket")?)?;
        if writeln!(std::io::stdout(), "acked {upto}").is_err() {
            break;
        }
    }
    log.close()?;
    Ok(())
}

fn record(log: &Log, number: i64) -> Result<Ticket, NotRecorded> {
    let details = [Detail { name: "n", value: DetailValue::Number(number) }];
    let fact = Event::FAILED_LOGIN.fact(
        Outcome::Failure,
        os::SystemClock.wall(),
        Subject::Claimed { tenant: "north", subject: "ada" },
        Target::Named { kind: "route", name: "/login" },
        Origin::service("crash_loop"),
    );
    log.record(&fact.with(&details))
}

fn wait(log: &Log, ticket: Ticket) -> Result<(), NotRecorded> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        match log.poll_durable(ticket, &mut cx) {
            Poll::Ready(done) => break done,
            Poll::Pending => std::thread::park(),
        }
    }
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn number_of(line: &str) -> Option<i64> {
    line.strip_prefix("acked ")?.parse().ok()
}

/// The same key in every process.
fn key() -> Result<PrivateKey, Failure> {
    Ok(Ring::new().private_key(SignatureAlgorithm::Ed25519, SecretArray::new([7; 32]).into())?)
}

fn options() -> Result<VerifyOptions, Failure> {
    Ok(VerifyOptions::new(Arc::new(Ring::new())).trusting(key()?.public().clone()))
}

fn random() -> Result<u64, Failure> {
    let mut bytes = [0; 8];
    os::OsEntropy.fill(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}
