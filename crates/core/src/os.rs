//! The one file that reads the wall clock, the monotonic clock, the environment and OS randomness.
//!
//! Everything else in the family receives a [`Clock`], an [`Entropy`] or a secret as a value.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant, SystemTime},
};

use crate::{Clock, Entropy, Monotonic, NoEntropy, SecretText, Sleep, UnixTime};

/// The clocks of the operating system.
///
/// [`Clock::sleep`] needs no async runtime: a short-lived thread wakes the task. Under tokio pass the clock of
/// `bartizan-clock-tokio`, which costs no thread and follows tokio's paused time.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

static START: OnceLock<Instant> = OnceLock::new();

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this file is where the wall clock enters")]
    fn wall(&self) -> UnixTime {
        let nanos = match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
        };
        UnixTime::from_nanos(nanos)
    }

    #[expect(clippy::disallowed_methods, reason = "this file is where the monotonic clock enters")]
    fn monotonic(&self) -> Monotonic {
        let start = *START.get_or_init(Instant::now);
        Monotonic::from_zero(Instant::now().saturating_duration_since(start))
    }

    fn sleep(&self, duration: Duration) -> Sleep<'_> {
        Box::pin(ThreadSleep { duration, state: None })
    }
}

/// Started at the first poll, so that a sleep that is never awaited costs nothing.
struct ThreadSleep {
    duration: Duration,
    state: Option<Arc<Mutex<SleepState>>>,
}

#[derive(Default)]
struct SleepState {
    over: bool,
    waker: Option<Waker>,
}

impl Future for ThreadSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(state) = self.state.clone() else {
            let state = Arc::new(Mutex::new(SleepState { over: false, waker: Some(cx.waker().clone()) }));
            self.state = Some(Arc::clone(&state));
            let duration = self.duration;
            std::thread::spawn(move || {
                std::thread::sleep(duration);
                let waker = {
                    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                    state.over = true;
                    state.waker.take()
                };
                if let Some(waker) = waker {
                    waker.wake();
                }
            });
            return Poll::Pending;
        };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.over {
            return Poll::Ready(());
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// The operating system's random generator (`getrandom`).
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "this file is where OS randomness enters")]
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(buffer).map_err(|_| NoEntropy)
    }
}

/// A value of the environment, held as a secret; nothing when it is absent or not UTF-8.
///
/// # Security
/// The environment of a process can be read by its own user and is inherited by its children.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this file is where the environment enters")]
pub fn environment(name: &str) -> Option<SecretText> {
    std::env::var(name).ok().map(SecretText::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_ends_and_not_before_its_time() {
        let clock = SystemClock;
        let before = clock.monotonic();
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut sleep = clock.sleep(Duration::from_millis(5));
        let mut cx = Context::from_waker(&waker);
        while sleep.as_mut().poll(&mut cx).is_pending() {
            std::thread::park_timeout(Duration::from_secs(5));
        }
        assert!(clock.monotonic().since(before) >= Duration::from_millis(5));
    }

    struct Unpark(std::thread::Thread);

    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    #[test]
    fn two_draws_of_32_bytes_differ() {
        let (mut one, mut two) = ([0; 32], [0; 32]);
        OsEntropy.fill(&mut one).unwrap();
        OsEntropy.fill(&mut two).unwrap();
        assert_ne!(one, two);
    }
}
