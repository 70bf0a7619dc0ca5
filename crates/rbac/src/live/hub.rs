//! What the driver and those who watch it share. Nothing that decides looks in here.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bartizan_core::Revision;

use super::{Health, LoadError, LoadErrorKind};

/// One driver, any number of watchers.
#[derive(Debug)]
pub(super) struct Hub(Mutex<State>);

#[derive(Debug)]
struct State {
    health: Health,
    /// Somebody wants everything to be loaded; cleared when a load begins.
    is_wanted: bool,
    /// Loads that began, and the number of the last that ended, with what came of it.
    begun: u64,
    ended: u64,
    outcome: Result<Revision, LoadError>,
    driver: Option<Waker>,
    watchers: Vec<Waker>,
}

impl Hub {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            health: Health { is_running: true, ..Health::default() },
            is_wanted: false,
            begun: 0,
            ended: 0,
            outcome: Err(LoadErrorKind::Stopped.into()),
            driver: None,
            watchers: Vec::new(),
        }))
    }

    pub(super) fn health(&self) -> Health {
        self.state().health.clone()
    }

    /// Wants a load that begins after now, and answers its number.
    pub(super) fn want(&self) -> u64 {
        let (number, driver) = {
            let mut state = self.state();
            state.is_wanted = true;
            (state.begun + 1, state.driver.take())
        };
        if let Some(driver) = driver {
            driver.wake();
        }
        number
    }

    /// For the driver: whether a load is wanted; if not, it is woken once one is.
    pub(super) fn poll_wanted(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.is_wanted {
            return Poll::Ready(());
        }
        state.driver = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.state().is_wanted
    }

    /// A load begins.
    pub(super) fn began(&self) {
        let mut state = self.state();
        state.is_wanted = false;
        state.begun += 1;
    }

    /// It ended. What it changed was shown before.
    pub(super) fn ended(&self, outcome: Result<Revision, LoadError>) {
        self.change(|state| {
            state.ended = state.begun;
            state.outcome = outcome;
        });
    }

    /// Changes what is shown.
    pub(super) fn show(&self, change: impl FnOnce(&mut Health)) {
        self.change(|state| change(&mut state.health));
    }

    /// Nobody drives any more.
    pub(super) fn stop(&self) {
        self.show(|health| health.is_running = false);
    }

    /// What came of the load with this number, or of a later one.
    pub(super) fn poll_outcome(
        &self,
        number: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Revision, LoadError>> {
        self.poll(cx, |state| (state.ended >= number).then(|| state.outcome.clone()))
    }

    /// Waits until there is an answer.
    pub(super) fn poll_health<T>(
        &self,
        cx: &mut Context<'_>,
        answer: impl FnOnce(&Health) -> Option<Result<T, LoadError>>,
    ) -> Poll<Result<T, LoadError>> {
        self.poll(cx, |state| answer(&state.health))
    }

    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        answer: impl FnOnce(&State) -> Option<Result<T, LoadError>>,
    ) -> Poll<Result<T, LoadError>> {
        let mut state = self.state();
        if let Some(answer) = answer(&state) {
            return Poll::Ready(answer);
        }
        if !state.health.is_running {
            return Poll::Ready(Err(LoadErrorKind::Stopped.into()));
        }
        if !state.watchers.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.watchers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let watchers = {
            let mut state = self.state();
            change(&mut state);
            std::mem::take(&mut state.watchers)
        };
        watchers.into_iter().for_each(Waker::wake);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
