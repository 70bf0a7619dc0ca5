//! The seam to whatever keeps the record.

use std::{
    fmt::Debug,
    sync::Arc,
    task::{Context, Poll},
};

use crate::Fact;

/// A fact's place in a recorder's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// A fact is not on record: the queue is full, or the medium failed. What depended on it must not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the fact is not on record")]
pub struct NotRecorded;

/// What keeps the record. Object safe; no boxed future on the hot path.
///
/// ```
/// use std::{future::poll_fn, sync::Arc};
/// use bartizan_core::{Fact, NotRecorded, Recorder};
///
/// async fn record_durably(recorder: &Arc<dyn Recorder>, fact: &Fact<'_>) -> Result<(), NotRecorded> {
///     let ticket = recorder.record(fact)?;
///     poll_fn(|cx| recorder.poll_durable(ticket, cx)).await
/// }
/// ```
pub trait Recorder: Debug + Send + Sync {
    /// Takes a copy of the fact into a bounded queue.
    ///
    /// # Errors
    /// [`NotRecorded`] when there is no room or the medium has failed; a fact is never dropped silently.
    fn record(&self, fact: &Fact<'_>) -> Result<Ticket, NotRecorded>;

    /// Ready once the fact would survive a loss of power.
    fn poll_durable(&self, ticket: Ticket, cx: &mut Context<'_>) -> Poll<Result<(), NotRecorded>>;
}

impl<R: Recorder + ?Sized> Recorder for Arc<R> {
    fn record(&self, fact: &Fact<'_>) -> Result<Ticket, NotRecorded> {
        (**self).record(fact)
    }

    fn poll_durable(&self, ticket: Ticket, cx: &mut Context<'_>) -> Poll<Result<(), NotRecorded>> {
        (**self).poll_durable(ticket, cx)
    }
}

/// Keeps nothing and says it did. Made by [`danger_unrecorded`] only.
#[derive(Clone, Copy, Debug)]
pub struct Unrecorded(());

/// A recorder that keeps nothing: for a first try and for benchmarks.
///
/// # Security
/// Nobody will ever know who opened what. Search for this name before you ship.
#[must_use]
pub const fn danger_unrecorded() -> Unrecorded {
    Unrecorded(())
}

impl Recorder for Unrecorded {
    fn record(&self, _: &Fact<'_>) -> Result<Ticket, NotRecorded> {
        Ok(Ticket(0))
    }

    fn poll_durable(&self, _: Ticket, _: &mut Context<'_>) -> Poll<Result<(), NotRecorded>> {
        Poll::Ready(Ok(()))
    }
}
