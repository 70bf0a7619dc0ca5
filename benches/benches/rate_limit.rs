//! What a limit costs: in memory beside `governor`, in Redis beside one bare call of a script.
//!
//! Half of the cost in memory is reading the time. `governor` reads the processor's own counter (`quanta`); ours is given a clock
//! that does the same, and in one case the clock of the operating system, as most programs will.

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use bartizan::crypto_ring::Ring;
use bartizan_benches::{Bench, Case};
use bartizan_core::{Clock, Monotonic, SecretArray, Sleep, UnixTime, os};
use bartizan_limits_redis::{Config, RedisLimits};
use bartizan_rate_limit::{Ask, Key, LimitStore, MemoryLimits, OnOutage, Policy, Quota};
use governor::{
    DefaultKeyedRateLimiter, RateLimiter,
    clock::{Clock as _, QuantaClock, QuantaInstant, Reference as _},
};
use tokio::runtime;

/// So many addresses take turns.
const ADDRESSES: u32 = 10_000;

/// The case of a full table.
const MANY: u32 = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut bench = Bench::from_args();
    passing(&mut bench)?;
    refused(&mut bench, "limit_memory_refused", Arc::new(Counter::start()))?;
    refused(&mut bench, "limit_memory_refused_system_clock", Arc::new(os::SystemClock))?;
    many(&mut bench)?;
    redis(&mut bench)?;
    bench.finish();
    Ok(())
}

fn memory(keys: u32, clock: Arc<dyn Clock>) -> Result<MemoryLimits, Box<dyn Error>> {
    Ok(MemoryLimits::new(usize::try_from(keys)?, clock, &os::OsEntropy)?)
}

/// The clock that `governor` reads, as a value.
#[derive(Debug)]
struct Counter(QuantaClock, QuantaInstant);

impl Counter {
    fn start() -> Self {
        let clock = QuantaClock::default();
        let start = clock.now();
        Self(clock, start)
    }
}

impl Clock for Counter {
    fn wall(&self) -> UnixTime {
        os::SystemClock.wall()
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::from_zero(self.0.now().duration_since(self.1).into())
    }

    fn sleep(&self, duration: Duration) -> Sleep<'_> {
        os::SystemClock.sleep(duration)
    }
}

fn governor(limit: u32, seconds: u32) -> Result<DefaultKeyedRateLimiter<IpAddr>, Box<dyn Error>> {
    let interval = Duration::from_secs(u64::from(seconds)) / limit;
    let quota = governor::Quota::with_period(interval).ok_or("the period is zero")?;
    let burst = NonZeroU32::new(limit).ok_or("the limit is zero")?;
    Ok(RateLimiter::keyed(quota.allow_burst(burst)))
}

/// The addresses of a network, one after the other, for ever.
fn addresses(count: u32) -> impl FnMut() -> IpAddr {
    let mut next = 0;
    move || {
        next = (next + 1) % count;
        Ipv4Addr::from_bits(0x0A00_0000 + next).into()
    }
}

/// Requests that pass: a quota that a bench does not use up.
fn passing(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    let (ours, theirs) = (memory(ADDRESSES, Arc::new(Counter::start()))?, governor(1_000_000, 1)?);
    let policy = Policy::new("bench", Quota::per(1_000_000, Duration::from_secs(1))?, OnOutage::Closed)?;
    let (mut address, mut their_address) = (addresses(ADDRESSES), addresses(ADDRESSES));
    for _ in 0..ADDRESSES {
        let _ = (ours.check(&Ask::new(&policy, Key::address(address()))), theirs.check_key(&their_address()));
    }
    bench.run(
        Case::new("limit_memory", || ours.check(&Ask::new(&policy, Key::address(address()))).decision())
            .limit(|| theirs.check_key(&their_address()).is_ok()),
    );
    Ok(())
}

/// Requests of one address that has used up what it had: what a flood costs.
fn refused(bench: &mut Bench, name: &'static str, clock: Arc<dyn Clock>) -> Result<(), Box<dyn Error>> {
    let (ours, theirs) = (memory(ADDRESSES, clock)?, governor(5, 900)?);
    let policy = Policy::new("bench", Quota::LOGIN, OnOutage::Closed)?;
    let address: IpAddr = Ipv4Addr::LOCALHOST.into();
    for _ in 0..5 {
        let _ = (ours.check(&Ask::new(&policy, Key::address(address))), theirs.check_key(&address));
    }
    bench.run(
        Case::new(name, || ours.check(&Ask::new(&policy, Key::address(address))).decision())
            .limit(|| theirs.check_key(&address).is_ok()),
    );
    Ok(())
}

/// A million keys in use, and what each takes: with everything that was needed on the way there.
fn many(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    let policy = Policy::new("bench", Quota::per(MANY, Duration::from_secs(86_400))?, OnOutage::Closed)?;
    let mut table = None;
    let taken = allocation_counter::measure(|| {
        let limits = memory(MANY, Arc::new(Counter::start()));
        if let Ok(limits) = &limits {
            let mut address = addresses(MANY);
            (0..MANY).for_each(|_| {
                let _ = limits.check(&Ask::new(&policy, Key::address(address())));
            });
        }
        table = Some(limits);
    });
    let ours = table.ok_or("there is no table")??;
    if ours.len() < usize::try_from(MANY)? {
        return Err("not all keys have a place".into());
    }
    println!(
        "limit_memory_1m: {} keys, {} bytes in all when filled, {} at most on the way",
        ours.len(),
        taken.bytes_current,
        taken.bytes_max
    );
    let theirs = governor(MANY, 86_400)?;
    let (mut address, mut their_address) = (addresses(MANY), addresses(MANY));
    (0..MANY).for_each(|_| drop(theirs.check_key(&their_address())));
    bench.run(
        Case::new("limit_memory_1m", || ours.check(&Ask::new(&policy, Key::address(address()))).decision())
            .limit(|| theirs.check_key(&their_address()).is_ok()),
    );
    Ok(())
}

/// Only where `BARTIZAN_TEST_REDIS_URL` says which Redis; one decision at a time, so that the round trip is what is seen.
fn redis(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    let Some(url) = os::environment("BARTIZAN_TEST_REDIS_URL") else { return Ok(()) };
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let client = redis::Client::open(url.expose())?;
    let connection = runtime.block_on(client.get_multiplexed_async_connection())?;
    let config = Config::new().with_prefix("bench:")?;
    let ours = RedisLimits::new(connection.clone(), config, &Ring::new(), &SecretArray::new([7; 32]))?;
    let policy = Policy::new("bench", Quota::per(1_000_000, Duration::from_secs(1))?, OnOutage::Closed)?;
    // The same work for the server without the decision: one key read and written, the time asked for.
    let bare = redis::Script::new(
        "local time = redis.call('TIME')
         local state = redis.call('GET', KEYS[1])
         redis.call('SET', KEYS[1], '1800000000000000', 'PX', 10001)
         return { tonumber(time[1]), tonumber(time[2]), state and 1 or 0 }",
    );
    runtime.block_on(bare.load_async(&mut connection.clone()))?;
    let mut call = redis::cmd("EVALSHA");
    call.arg(bare.get_hash()).arg(1).arg("bench:bare");
    let ask = Ask::new(&policy, Key::account("ada"));
    runtime.block_on(ours.charge(&[ask]))?;
    bench
        .run(Case::new("limit_redis", || runtime.block_on(ours.charge(&[ask])).is_ok()).limit(|| {
            runtime.block_on(call.query_async::<(u64, u64, u64)>(&mut connection.clone())).is_ok()
        }));
    Ok(())
}
