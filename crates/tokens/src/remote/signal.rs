//! Wakes the driver from wherever a token is verified, without a lock.

use std::{sync::Arc, task::Waker};

use arc_swap::ArcSwapOption;

/// One sleeper and any number of callers, none of which ever waits.
///
/// INVARIANT(no-lost-wake): whoever has news changes an atomic with a read-modify-write first and calls [`Signal::wake`] then;
/// the sleeper calls [`Signal::register`] first and reads that atomic with a read-modify-write then. The two changes of the
/// atomic have an order: either the sleeper sees the news, or the caller sees the sleeper.
#[derive(Debug, Default)]
pub(super) struct Signal(ArcSwapOption<Waker>);

impl Signal {
    /// From now on this task is woken.
    pub(super) fn register(&self, waker: &Waker) {
        if !self.0.load().as_ref().is_some_and(|registered| registered.will_wake(waker)) {
            self.0.store(Some(Arc::new(waker.clone())));
        }
    }

    /// Wakes the task that registered last.
    pub(super) fn wake(&self) {
        if let Some(waker) = &*self.0.load() {
            waker.wake_by_ref();
        }
    }
}
