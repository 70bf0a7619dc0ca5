//! A recorder that keeps facts in memory and fails on command.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bartizan_core::{Delivery, EventCode, Fact, NotRecorded, Outcome, Recorder, Ticket};

/// What was recorded, in short, and the whole fact as its `Debug` shows it, for canary searches.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recorded {
    /// The event.
    pub code: EventCode,
    /// How it ended.
    pub outcome: Outcome,
    /// How surely it was to be kept.
    pub delivery: Delivery,
    /// Why, in one word.
    pub reason: Option<&'static str>,
    /// The whole fact as `Debug` shows it.
    pub shown: String,
}

/// Keeps facts in memory.
#[derive(Debug, Default)]
pub struct MemoryRecorder {
    facts: Mutex<Vec<Recorded>>,
    full: AtomicBool,
    stuck: AtomicBool,
}

impl MemoryRecorder {
    /// Refuses all further facts, as a full queue does.
    pub fn refuse(&self) {
        self.full.store(true, Ordering::SeqCst);
    }

    /// Takes facts but never makes them durable: [`Recorder::poll_durable`] fails.
    pub fn lose(&self) {
        self.stuck.store(true, Ordering::SeqCst);
    }

    /// What was recorded so far.
    #[must_use]
    pub fn facts(&self) -> Vec<Recorded> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Recorder for MemoryRecorder {
    fn record(&self, fact: &Fact<'_>) -> Result<Ticket, NotRecorded> {
        if self.full.load(Ordering::SeqCst) {
            return Err(NotRecorded);
        }
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        facts.push(Recorded {
            code: fact.code,
            outcome: fact.outcome,
            delivery: fact.delivery,
            reason: fact.reason,
            shown: format!("{fact:?}"),
        });
        Ok(Ticket(facts.len() as u64))
    }

    fn poll_durable(&self, _: Ticket, _: &mut Context<'_>) -> Poll<Result<(), NotRecorded>> {
        Poll::Ready(if self.stuck.load(Ordering::SeqCst) { Err(NotRecorded) } else { Ok(()) })
    }
}
