//! Against a real Redis: `BARTIZAN_TEST_REDIS_URL` says where.
#![cfg(test)]

mod driver;
mod outage;
mod traces;

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bartizan_core::{Clock, SecretArray, UnixTime, os};
use bartizan_crypto_ring::Ring;
use bartizan_limits_redis::{Config, RedisLimits};
use bartizan_rate_limit::{LimitStore, conformance::Stores};
use bartizan_testkit::ManualClock;
use redis::{AsyncConnectionConfig, Client, aio::MultiplexedConnection};
use tokio::runtime::Runtime;

/// One for all tests: connections outlive the test that opened them.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

fn url() -> String {
    os::environment("BARTIZAN_TEST_REDIS_URL")
        .expect("BARTIZAN_TEST_REDIS_URL is not set")
        .expose()
        .to_owned()
}

/// Without a deadline of its own, which would need the runtime on the asking thread.
fn connection() -> MultiplexedConnection {
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let client = Client::open(url()).unwrap();
    runtime().block_on(client.get_multiplexed_async_connection_with_config(&config)).unwrap()
}

/// Keys of this test alone.
fn fresh_prefix() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test:{}:{}:", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn config() -> Config {
    Config::new().with_prefix(&fresh_prefix()).unwrap()
}

fn limits<C>(connection: C, config: Config) -> RedisLimits<C>
where
    C: redis::aio::ConnectionLike + Clone + Send + Sync + 'static,
{
    RedisLimits::new(connection, config, &Ring::new(), &SecretArray::new([7; 32])).unwrap()
}

/// In 2027; stands still.
fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(UnixTime::from_nanos(1_800_000_000_123_456_789)))
}

fn stores() -> Stores {
    let clock = clock();
    let config = config().with_client_clock(Arc::clone(&clock) as Arc<dyn Clock>);
    let driver = || Arc::new(limits(connection(), config.clone())) as Arc<dyn LimitStore>;
    let advance = move |by: Duration| clock.advance(by);
    Stores::new(driver(), driver(), advance, ())
}

mod conformance {
    bartizan_rate_limit::limit_store_conformance!(super::stores);
}
