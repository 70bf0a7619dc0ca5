//! Time is given, never taken.

use std::{fmt::Debug, future::Future, pin::Pin, time::Duration};

use crate::UnixTime;

/// A future that ends after a while.
pub type Sleep<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A reading of a clock that never goes back; its zero means nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Monotonic(Duration);

impl Monotonic {
    /// From the time since an arbitrary zero.
    #[must_use]
    pub const fn from_zero(since: Duration) -> Self {
        Self(since)
    }

    /// How long after `earlier` this is; zero when it is not after.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// Where time comes from. Pass [`os::SystemClock`](crate::os::SystemClock) in programs and a manual clock in tests.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The time of day, UTC. May jump either way when an operator sets it.
    fn wall(&self) -> UnixTime;
    /// A reading that never goes back, for measuring how long something takes.
    fn monotonic(&self) -> Monotonic;
    /// Ends after `duration` of monotonic time.
    fn sleep(&self, duration: Duration) -> Sleep<'_>;
}
