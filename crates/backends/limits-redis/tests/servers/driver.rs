//! What the suite cannot see: names, lifetimes, scripts, round trips.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bartizan_limits_redis::Config;
use bartizan_rate_limit::{Ask, ErrorKind, Key, LimitStore, OnOutage, Policy, Quota};
use redis::{Cmd, Pipeline, RedisFuture, Value, aio::ConnectionLike};

use super::{connection, fresh_prefix, limits, runtime};

fn login() -> Policy {
    Policy::new("login", Quota::LOGIN, OnOutage::Closed).unwrap()
}

fn keys(prefix: &str) -> Vec<String> {
    let mut command = redis::cmd("KEYS");
    command.arg(format!("{prefix}*"));
    runtime().block_on(command.query_async(&mut connection())).unwrap()
}

#[test]
fn by_the_servers_clock_five_pass_and_the_sixth_waits() {
    let (store, policy) = (limits(connection(), super::config()), login());
    let ask = Ask::new(&policy, Key::account("ada"));
    for _ in 0..5 {
        assert!(runtime().block_on(store.charge(&[ask])).unwrap()[0].decision().is_allowed());
    }
    let refused = runtime().block_on(store.charge(&[ask])).unwrap()[0].decision();
    let wait = refused.retry_after().unwrap().as_secs_f64();
    assert!(wait > 100.0 && wait <= 180.0, "{wait}");
}

#[test]
fn a_name_shows_neither_account_nor_address_and_lives_no_longer_than_its_state() {
    let (prefix, policy) = (fresh_prefix(), login());
    let store = limits(connection(), Config::new().with_prefix(&prefix).unwrap());
    let pair = Key::pair("canary@example.org", "192.0.2.77".parse().unwrap());
    runtime().block_on(store.charge(&[Ask::new(&policy, pair)])).unwrap();
    let names = keys(&prefix);
    let [name] = names.as_slice() else { panic!("one key was expected: {names:?}") };
    let hash = name.strip_prefix(&format!("{prefix}login:")).unwrap();
    assert!(hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
    let mut command = redis::cmd("PTTL");
    command.arg(name);
    let lives: i64 = runtime().block_on(command.query_async(&mut connection())).unwrap();
    assert!((180_000..=190_000).contains(&lives), "{lives}");
}

#[test]
fn what_is_given_back_leaves_no_key_once_it_is_as_new() {
    let (prefix, policy) = (fresh_prefix(), login());
    let store = limits(connection(), Config::new().with_prefix(&prefix).unwrap());
    let ask = Ask::new(&policy, Key::account("ada")).costing(5).unwrap();
    let charge = runtime().block_on(store.charge(&[ask])).unwrap()[0];
    runtime().block_on(store.give_back(&[(ask, charge)])).unwrap();
    // A millisecond passed in between: what came back by itself in it was not given back twice, so it is gone or nearly.
    let left = runtime().block_on(store.charge(&[ask])).unwrap()[0].decision();
    assert!(left.is_allowed(), "{left:?}");
}

#[test]
fn a_server_that_forgot_the_script_is_told_it_again() {
    let (store, policy) = (limits(connection(), super::config()), login());
    let ask = Ask::new(&policy, Key::account("ada"));
    for left in [4, 3] {
        let mut flush = redis::cmd("SCRIPT");
        flush.arg("FLUSH");
        let () = runtime().block_on(flush.query_async(&mut connection())).unwrap();
        let charge = runtime().block_on(store.charge(&[ask])).unwrap()[0];
        assert_eq!(charge.decision().remaining(), left);
    }
}

#[test]
fn what_is_no_state_is_damage_and_lets_nobody_pass() {
    let (prefix, policy) = (fresh_prefix(), login());
    let store = limits(connection(), Config::new().with_prefix(&prefix).unwrap());
    let ask = Ask::new(&policy, Key::account("ada"));
    runtime().block_on(store.charge(&[ask])).unwrap();
    let name = keys(&prefix).remove(0);
    for value in ["", "nan", "-1", "1.5", "0x10", "1e3", " 1", "inf", "-inf", "9007199254740993", "007", "x"]
    {
        let mut set = redis::cmd("SET");
        set.arg(&name).arg(value);
        let () = runtime().block_on(set.query_async(&mut connection())).unwrap();
        let refused = runtime().block_on(store.charge(&[ask])).map_err(|error| error.kind());
        assert_eq!(refused, Err(ErrorKind::Integrity), "{value:?}");
    }
    let mut pipe = redis::pipe();
    pipe.cmd("DEL").arg(&name).cmd("LPUSH").arg(&name).arg("1");
    let () = runtime().block_on(pipe.query_async(&mut connection())).unwrap();
    assert_eq!(
        runtime().block_on(store.charge(&[ask])).map_err(|error| error.kind()),
        Err(ErrorKind::Integrity)
    );
}

#[test]
fn a_request_under_three_limits_is_one_round_trip() {
    let counted = Counted::new(connection());
    let store = limits(counted.clone(), super::config());
    let policies = ["a", "b", "c"].map(|name| Policy::new(name, Quota::GENERAL, OnOutage::Closed).unwrap());
    let asks = policies.each_ref().map(|policy| Ask::new(policy, Key::account("ada")));
    // The script may not be known yet.
    runtime().block_on(store.charge(&asks)).unwrap();
    counted.reset();
    runtime().block_on(store.charge(&asks)).unwrap();
    assert_eq!(counted.sent.load(Ordering::SeqCst), 3, "one call for each limit");
    assert_eq!(counted.at_once.load(Ordering::SeqCst), 3, "all sent before any is answered");
}

#[test]
fn a_server_that_may_drop_keys_is_refused_at_the_start() {
    let store = limits(connection(), super::config());
    runtime().block_on(store.check_settings()).unwrap();
    let server = super::outage::Server::start();
    let (store, mut plain) = runtime().block_on(async {
        let client = redis::Client::open(server.url()).unwrap();
        let connection = client.get_multiplexed_async_connection().await.unwrap();
        (limits(connection.clone(), super::config()), connection)
    });
    for policy in ["allkeys-lru", "volatile-ttl"] {
        let refused = runtime().block_on(async {
            let mut set = redis::cmd("CONFIG");
            set.arg("SET").arg("maxmemory-policy").arg(policy);
            let () = set.query_async(&mut plain).await.unwrap();
            store.check_settings().await
        });
        assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::Configuration), "{policy}");
    }
}

#[test]
fn nothing_secret_is_shown() {
    let store = limits(connection(), super::config());
    let shown = format!("{store:?}");
    assert!(!shown.contains("pw@") && !shown.contains("password") && !shown.contains("7, 7"), "{shown}");
}

/// Counts commands, and how many of them were under way at once.
#[derive(Clone)]
struct Counted<C> {
    connection: C,
    sent: Arc<AtomicUsize>,
    under_way: Arc<AtomicUsize>,
    at_once: Arc<AtomicUsize>,
}

impl<C> Counted<C> {
    fn new(connection: C) -> Self {
        Self { connection, sent: Arc::default(), under_way: Arc::default(), at_once: Arc::default() }
    }

    fn reset(&self) {
        self.sent.store(0, Ordering::SeqCst);
        self.at_once.store(0, Ordering::SeqCst);
    }
}

impl<C: ConnectionLike + Send> ConnectionLike for Counted<C> {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            self.sent.fetch_add(1, Ordering::SeqCst);
            let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            self.at_once.fetch_max(under_way, Ordering::SeqCst);
            let answer = self.connection.req_packed_command(cmd).await;
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            answer
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        self.connection.req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }
}
