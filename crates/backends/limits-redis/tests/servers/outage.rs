//! A Redis that stands still or dies in the middle of it.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use bartizan_clock_tokio::TokioClock;
use bartizan_rate_limit::{
    Admission, Ask, Error, ErrorKind, Key, Limiter, MemoryLimits, OnOutage, Policy, Quota,
};
use bartizan_testkit::SeededEntropy;
use redis::{
    Client,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{limits, runtime};

/// A server of this test alone, which it may stop and kill.
pub(crate) struct Server {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let folder = tempfile::tempdir().unwrap();
        let child = Self::run(port, &folder);
        Self { child, port, folder }
    }

    fn run(port: u16, folder: &TempDir) -> Child {
        let mut child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
            .args(["--dir", &folder.path().to_string_lossy()])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let client = Client::open(format!("redis://127.0.0.1:{port}/")).unwrap();
        for _ in 0..2_000 {
            if client
                .get_connection()
                .is_ok_and(|mut connection| redis::cmd("PING").exec(&mut connection).is_ok())
            {
                return child;
            }
            assert!(child.try_wait().unwrap().is_none(), "redis-server ended");
            std::thread::park_timeout(Duration::from_millis(5));
        }
        panic!("redis-server did not start");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn restart(&mut self) {
        self.child = Self::run(self.port, &self.folder);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn limiter(server: &Server) -> Limiter {
    let clock = Arc::new(TokioClock::new());
    let local = Arc::new(MemoryLimits::new(1_000, clock.clone(), &SeededEntropy::new(1)).unwrap());
    let config = ConnectionManagerConfig::new()
        .set_min_delay(Duration::from_millis(10))
        .set_max_delay(Duration::from_millis(50));
    let connection = runtime()
        .block_on(ConnectionManager::new_with_config(Client::open(server.url()).unwrap(), config))
        .unwrap();
    Limiter::shared(Arc::new(limits(connection, super::config())), local, clock)
}

fn policies() -> (Policy, Policy) {
    let policy = |name, on_outage| Policy::new(name, Quota::LOGIN, on_outage).unwrap();
    (policy("closed", OnOutage::Closed), policy("fallback", OnOutage::LocalFallback))
}

/// One question, which is answered within the bound whatever the server does.
fn ask(limiter: &Limiter, policy: &Policy) -> Result<bool, Error> {
    let before = now();
    let asks = [Ask::new(policy, Key::account("ada"))];
    let answer = runtime().block_on(limiter.check(&asks));
    let took = before.elapsed();
    // The deadline is 40 ms; the rest is for a machine that is busy with other tests.
    assert!(took < Duration::from_millis(150), "{took:?}");
    answer.map(|admission| matches!(admission, Admission::Admitted(_)))
}

/// Until the store is asked again, which is at most a pause and a reconnection away.
fn recovered(limiter: &Limiter, policy: &Policy) -> bool {
    let before = now();
    while before.elapsed() < Duration::from_secs(10) {
        match ask(limiter, policy) {
            Ok(passed) => return passed,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable),
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    panic!("it does not recover");
}

#[expect(
    clippy::disallowed_methods,
    reason = "This test measures that a real outage is answered within a real bound."
)]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn limiter_correctness_a_stopped_redis_is_answered_within_the_bound_and_recovers() {
    let server = Server::start();
    let (limiter, (closed, fallback)) = (limiter(&server), policies());
    for _ in 0..3 {
        assert!(ask(&limiter, &closed).unwrap());
        assert!(ask(&limiter, &fallback).unwrap());
    }
    server.signal(Signal::STOP);
    for _ in 0..20 {
        assert_eq!(ask(&limiter, &closed).map_err(|error| error.kind()), Err(ErrorKind::Unavailable));
    }
    // The local limiter knows of the three: two more, and no fresh five.
    let passed = (0..20).filter(|_| ask(&limiter, &fallback).unwrap()).count();
    assert_eq!(passed, 2);
    server.signal(Signal::CONT);
    // The server may have charged for the questions that it answered too late: never more than were asked. What matters is that
    // it answers again.
    let _ = recovered(&limiter, &closed);
    assert!(ask(&limiter, &closed).is_ok());
}

#[test]
fn limiter_correctness_a_killed_redis_is_answered_within_the_bound_and_recovers() {
    let mut server = Server::start();
    let (limiter, (closed, fallback)) = (limiter(&server), policies());
    assert!(ask(&limiter, &closed).unwrap());
    assert!(ask(&limiter, &fallback).unwrap());
    server.kill();
    for _ in 0..20 {
        assert_eq!(ask(&limiter, &closed).map_err(|error| error.kind()), Err(ErrorKind::Unavailable));
    }
    let passed = (0..20).filter(|_| ask(&limiter, &fallback).unwrap()).count();
    assert_eq!(passed, 4);
    server.restart();
    assert!(recovered(&limiter, &closed));
}
