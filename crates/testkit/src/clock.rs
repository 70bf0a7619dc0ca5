//! A clock that moves when a test says so.

use std::{
    future::poll_fn,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use bartizan_core::{Clock, Monotonic, Sleep, UnixTime};

/// Stands still until it is moved. Sleeps end when [`ManualClock::advance`] passes them.
#[derive(Debug)]
pub struct ManualClock(Mutex<Now>);

#[derive(Debug)]
struct Now {
    wall: UnixTime,
    monotonic: Duration,
    asleep: Vec<Waker>,
}

impl ManualClock {
    /// A clock that shows this time.
    #[must_use]
    pub const fn at(wall: UnixTime) -> Self {
        Self(Mutex::new(Now { wall, monotonic: Duration::ZERO, asleep: Vec::new() }))
    }

    /// Lets time pass: both clocks move and sleepers wake.
    pub fn advance(&self, duration: Duration) {
        let asleep = {
            let mut now = self.now();
            now.wall = now.wall.saturating_add(duration);
            now.monotonic = now.monotonic.saturating_add(duration);
            std::mem::take(&mut now.asleep)
        };
        asleep.into_iter().for_each(Waker::wake);
    }

    /// Sets the wall clock, as an operator might: backwards too. The monotonic clock does not move.
    pub fn set_wall(&self, wall: UnixTime) {
        self.now().wall = wall;
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> UnixTime {
        self.now().wall
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::from_zero(self.now().monotonic)
    }

    fn sleep(&self, duration: Duration) -> Sleep<'_> {
        let until = self.now().monotonic.saturating_add(duration);
        Box::pin(poll_fn(move |cx| {
            let mut now = self.now();
            if now.monotonic >= until {
                return Poll::Ready(());
            }
            now.asleep.push(cx.waker().clone());
            Poll::Pending
        }))
    }
}
