//! What the driver, the readers and the handle share.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use arc_swap::ArcSwap;

use super::{JwksStatus, JwksUrl, RemoteJwksBuilder, Start, signal::Signal, unknown::UnknownKids};
use crate::{Error, ErrorKind};

/// Nothing in it makes a reader wait.
pub(super) struct Hub {
    pub(super) setup: RemoteJwksBuilder,
    pub(super) signal: Signal,
    pub(super) unknown: UnknownKids,
    /// News for the driver: somebody wants a request. Cleared when one begins.
    pub(super) wanted: AtomicBool,
    /// News for the driver: nobody holds the keys any more.
    pub(super) is_abandoned: AtomicBool,
    pub(super) fetches: AtomicU64,
    status: ArcSwap<JwksStatus>,
    /// Those who wait for [`Hub::poll_ready`]; no verifier is among them.
    waiting: Mutex<Vec<Waker>>,
}

impl Hub {
    pub(super) fn new(setup: RemoteJwksBuilder, seed: u64) -> Self {
        let status = JwksStatus { running: true, ..JwksStatus::default() };
        Self {
            setup,
            signal: Signal::default(),
            unknown: UnknownKids::new(seed),
            wanted: AtomicBool::new(false),
            is_abandoned: AtomicBool::new(false),
            fetches: AtomicU64::new(0),
            status: ArcSwap::from_pointee(status),
            waiting: Mutex::new(Vec::new()),
        }
    }

    pub(super) const fn url(&self) -> &JwksUrl {
        &self.setup.url
    }

    pub(super) fn status(&self) -> JwksStatus {
        let status = self.status.load();
        JwksStatus { fetches: self.fetches.load(Ordering::Relaxed), ..JwksStatus::clone(&status) }
    }

    /// Called where a token is verified.
    pub(super) fn note_unknown(&self, kid: &str) {
        if self.unknown.remember(kid) {
            self.want();
        }
    }

    pub(super) fn want(&self) {
        // One wake per request, however many ask.
        if !self.wanted.swap(true, Ordering::AcqRel) {
            self.signal.wake();
        }
    }

    pub(super) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if let Some(answer) = self.answer() {
            return Poll::Ready(answer);
        }
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                waiting.push(cx.waker().clone());
            }
        }
        // What came between the first look and the registration woke nobody.
        self.answer().map_or(Poll::Pending, Poll::Ready)
    }

    fn answer(&self) -> Option<Result<(), Error>> {
        let status = self.status.load();
        if self.setup.rules.start == Start::Empty || status.last_success.is_some() {
            return Some(Ok(()));
        }
        if !status.running {
            return Some(Err(ErrorKind::KeysUnavailable.into()));
        }
        match status.last_error {
            Some(error) if self.setup.rules.start == Start::FailFast => Some(Err(error.kind().into())),
            _ => None,
        }
    }

    /// INVARIANT(one-writer): only the driver calls it.
    pub(super) fn show(&self, change: impl FnOnce(&mut JwksStatus)) {
        let mut status = JwksStatus::clone(&self.status.load());
        change(&mut status);
        self.status.store(Arc::new(status));
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// Lives in the key source: its end is the end of all readers.
pub(super) struct Readers(pub(super) Arc<Hub>);

impl Drop for Readers {
    fn drop(&mut self) {
        self.0.is_abandoned.swap(true, Ordering::AcqRel);
        self.0.signal.wake();
    }
}
