//! Stores, rows, and servers that a test may kill.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use bartizan_core::{UnixTime, os};
use bartizan_crypto_ring::Ring;
use bartizan_sessions::{
    Begin, Device, Digest, End, Ended, Epochs, Facts, Kind, Note, Rotate, Session, SessionId, SessionKey,
    SessionStore, StoredSession, from_millis,
};
use bartizan_sessions_redis::{Config, Error, RedisSessions};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Where the shared server listens.
pub(crate) fn url() -> String {
    os::environment("BARTIZAN_TEST_REDIS_URL")
        .expect("BARTIZAN_TEST_REDIS_URL is not set")
        .expose()
        .to_owned()
}

/// A prefix that nobody else has: the shared server is never emptied.
pub(crate) fn prefix() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = bartizan_core::Clock::wall(&os::SystemClock).as_nanos();
    format!("t-{:x}-{:x}-{}", std::process::id(), now, COUNT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) async fn open(url: &str, config: Config) -> Result<RedisSessions, Error> {
    RedisSessions::open(url, config, Arc::new(Ring::new())).await
}

/// A store on the shared server, and its configuration for a second one.
pub(crate) async fn store() -> (RedisSessions, Config) {
    let config = Config::new(&prefix()).expect("a prefix");
    (open(&url(), config.clone()).await.expect("a store"), config)
}

/// The shared server, for what a test does to it by hand.
pub(crate) async fn connection(url: &str) -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(url).expect("a URL");
    client.get_multiplexed_async_connection().await.expect("a connection")
}

/// A server of one test.
pub(crate) struct Server {
    child: Child,
    port: u16,
    settings: Vec<String>,
    folder: TempDir,
}

/// With which a store is content.
pub(crate) const GOOD: [&str; 6] =
    ["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"];

impl Server {
    pub(crate) fn start(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let free = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let child = spawn(folder.path(), port, &settings);
        let server = Self { child, port, settings, folder };
        server.wait();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(self.child.id().cast_signed()).expect("an id");
        kill_process(id, signal).expect("a signal");
    }

    /// Ends it as a power cut does, but for the disk's cache.
    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.child.wait().expect("it ends");
    }

    /// With other settings, over the same data.
    pub(crate) fn start_again_with(&mut self, settings: &[&str]) {
        self.settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        self.start_again();
    }

    pub(crate) fn start_again(&mut self) {
        self.child = spawn(self.folder.path(), self.port, &self.settings);
        self.wait();
    }

    /// Until it has read its log.
    fn wait(&self) {
        let client = redis::Client::open(self.url()).expect("a URL");
        for _ in 0..400 {
            let answered = client
                .get_connection()
                .and_then(|mut connection| redis::cmd("PING").query::<String>(&mut connection));
            if answered.is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(25));
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        panic!("redis-server does not answer; its log:\n{log}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        self.child.wait().expect("it ends");
    }
}

fn spawn(folder: &Path, port: u16, settings: &[String]) -> Child {
    let log = fs::File::create(folder.join("log")).expect("a log");
    // The kernel ends it with the thread that runs the test, however that ends.
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--", "redis-server", "--bind", "127.0.0.1", "--save", ""])
        .args(["--port", &port.to_string()])
        .arg("--dir")
        .arg(folder)
        .args(settings)
        .stdin(Stdio::null())
        .stdout(log)
        .spawn()
        .expect("redis-server is not installed")
}

/// Bytes that differ for every number and every part.
pub(crate) fn bytes<const N: usize>(part: u8, number: u64) -> [u8; N] {
    let mut filled = [part; N];
    filled.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
    filled
}

pub(crate) fn selector(number: u64) -> Digest {
    Digest::from_bytes(bytes(1, number))
}

/// The secret of this generation.
pub(crate) fn secret(number: u64, generation: u64) -> Digest {
    Digest::from_bytes(bytes(2, number * 1_000_000 + generation))
}

/// When everything begins.
pub(crate) const START: UnixTime = from_millis(1_700_000_000_000);

pub(crate) fn at(secs: u64) -> UnixTime {
    START.saturating_add(Duration::from_secs(secs))
}

pub(crate) const TENANT: &str = "canary-tenant";
pub(crate) const SUBJECT: &str = "canary@example.org";

pub(crate) fn row(number: u64) -> StoredSession {
    let mut facts = Facts::default();
    facts.device = Device::named("canary-device").at("2001:db8::ca");
    StoredSession {
        session: Session {
            id: SessionId { key: SessionKey::from_bytes(bytes(3, number)), epochs: Epochs::default() },
            kind: Kind::Refresh,
            tenant: TENANT.into(),
            subject: SUBJECT.into(),
            begun: START,
            seen: START,
            idle_expires: at(3_600),
            expires: at(7_200),
            generation: 0,
            facts,
        },
        selector: selector(number),
        current: secret(number, 0),
        previous: None,
        nonce: None,
        grace_until: START,
        binding: None,
        ended: None,
    }
}

pub(crate) fn beginning(row: StoredSession) -> Begin {
    Begin { row, cap: None, replaces: None, remember_until: at(900), now: START, note: note() }
}

pub(crate) fn note() -> Note {
    Note(r#"{"address":"canary-address"}"#.into())
}

/// The exchange of this generation for the next one.
pub(crate) fn rotate(number: u64, from: u64) -> Rotate {
    Rotate {
        selector: selector(number),
        presented: secret(number, from),
        next: secret(number, from + 1),
        next_selector: None,
        nonce: None,
        grace: Duration::ZERO,
        idle: Duration::from_secs(3_600),
        binding: None,
        facts: None,
        now: at(1),
        remember_until: at(900),
        note: note(),
    }
}

pub(crate) async fn end_all(store: &RedisSessions) -> Result<u64, bartizan_sessions::Error> {
    let end = End::All { tenant: TENANT, subject: SUBJECT };
    store.end(end, Ended::Revoked, at(2), at(900), &note()).await
}
