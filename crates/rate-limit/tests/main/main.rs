//! The public behaviour of `bartizan-rate-limit`.
#![cfg(test)]

mod client_address;
mod headers;
mod limiter;
mod login;
mod memory;
mod properties;
mod quotas;

use std::{
    future::Future,
    net::IpAddr,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bartizan_core::{Clock, UnixTime};
use bartizan_rate_limit::{Limiter, MemoryLimits};
use bartizan_testkit::{ManualClock, SeededEntropy};

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(UnixTime::from_nanos(1_800_000_000_000_000_000)))
}

fn memory(keys: usize, clock: &Arc<ManualClock>) -> Arc<MemoryLimits> {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    Arc::new(MemoryLimits::new(keys, clock, &SeededEntropy::new(1)).unwrap())
}

fn limiter(clock: &Arc<ManualClock>) -> Arc<Limiter> {
    Arc::new(Limiter::in_memory(memory(100_000, clock)))
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Of a future that waits for nothing.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}
