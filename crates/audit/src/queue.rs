//! The bounded queue between those who record and the one thread that writes.

use std::{
    collections::BTreeMap,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use bartizan_core::{Delivery, Fact, NotRecorded, Ticket};

use crate::{ErrorKind, checkpoint::Checkpoint, draft};

/// The ticket of a fact that was dropped: never durable.
const DROPPED: Ticket = Ticket(0);

/// From how many waiting bytes on the committer does not linger.
const ENOUGH: usize = 256 << 10;

#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// There is something to do.
    work: Condvar,
    /// Something was done.
    done: Condvar,
    /// Facts up to this ticket are durable.
    durable: AtomicU64,
    /// How many entries of the log are durable.
    size: AtomicU64,
    limit: usize,
    linger: Duration,
}

#[derive(Debug)]
struct State {
    facts: Vec<u8>,
    /// The ticket of the last fact that was taken in.
    taken: u64,
    dropped: u64,
    /// Somebody waits for what is in the queue.
    is_urgent: bool,
    committer: Committer,
    /// How many checkpoints were asked for and made, and the newest.
    asked: u64,
    made: u64,
    checkpoint: Option<Checkpoint>,
    phase: Phase,
    wakers: BTreeMap<u64, Vec<Waker>>,
}

/// What the committer is waiting for, so that those who record wake it only when it must be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Committer {
    Busy,
    /// Anything at all.
    Idle,
    /// More facts to share a sync with, or somebody who waits.
    Lingering,
}

/// Where the log is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Working,
    /// Takes nothing more; what is in the queue is still written.
    Closing,
    Closed,
    /// For good: nothing more becomes durable.
    Failed(ErrorKind),
}

/// What the committer is to do.
#[derive(Debug)]
pub(crate) struct Work {
    /// The ticket of the last fact in the batch.
    pub(crate) upto: u64,
    /// How many facts were dropped after them.
    pub(crate) dropped: u64,
    /// A checkpoint is asked for; this many were asked for so far.
    pub(crate) checkpoint: Option<u64>,
    pub(crate) is_last: bool,
}

impl Queue {
    pub(crate) fn new(limit: usize, linger: Duration, size: u64) -> Self {
        Self {
            state: Mutex::new(State {
                facts: Vec::with_capacity(limit + draft::MAX_DRAFT),
                taken: 0,
                dropped: 0,
                is_urgent: false,
                committer: Committer::Busy,
                asked: 0,
                made: 0,
                checkpoint: None,
                phase: Phase::Working,
                wakers: BTreeMap::new(),
            }),
            work: Condvar::new(),
            done: Condvar::new(),
            durable: AtomicU64::new(0),
            size: AtomicU64::new(size),
            limit,
            linger,
        }
    }

    /// How many bytes of waiting facts one class may fill. What may be dropped leaves room for what may not, and what is
    /// critical still fits when everything else is refused.
    const fn room(&self, delivery: Delivery) -> usize {
        match delivery {
            Delivery::Bulk => self.limit / 2,
            Delivery::Standard => self.limit / 8 * 7,
            Delivery::Critical => self.limit,
        }
    }

    /// How many bytes wait.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.lock().facts.len()
    }

    /// Copies a fact into the queue. This is all that a caller pays for.
    pub(crate) fn record(&self, fact: &Fact<'_>) -> Result<Ticket, NotRecorded> {
        let mut state = self.lock();
        if state.phase != Phase::Working {
            return Err(NotRecorded);
        }
        let start = state.facts.len();
        draft::write(fact, &mut state.facts);
        if state.facts.len() > self.room(fact.delivery) {
            state.facts.truncate(start);
            if fact.delivery != Delivery::Bulk {
                return Err(NotRecorded);
            }
            state.dropped += 1;
            return Ok(DROPPED);
        }
        state.taken += 1;
        let ticket = Ticket(state.taken);
        let is_urgent = fact.delivery == Delivery::Critical;
        state.is_urgent |= is_urgent;
        self.wake_committer(state, is_urgent);
        Ok(ticket)
    }

    pub(crate) fn poll_durable(&self, ticket: Ticket, cx: &mut Context<'_>) -> Poll<Result<(), NotRecorded>> {
        if ticket == DROPPED {
            return Poll::Ready(Err(NotRecorded));
        }
        if ticket.0 <= self.durable.load(Ordering::Acquire) {
            return Poll::Ready(Ok(()));
        }
        let mut state = self.lock();
        // Once more, now that the committer cannot move it.
        if ticket.0 <= self.durable.load(Ordering::Acquire) {
            return Poll::Ready(Ok(()));
        }
        if ticket.0 > state.taken || matches!(state.phase, Phase::Closed | Phase::Failed(_)) {
            return Poll::Ready(Err(NotRecorded));
        }
        let wakers = state.wakers.entry(ticket.0).or_default();
        if !wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            wakers.push(cx.waker().clone());
        }
        state.is_urgent = true;
        self.wake_committer(state, true);
        Poll::Pending
    }

    /// Blocks until all that was recorded before is durable.
    pub(crate) fn flush(&self) -> Result<(), ErrorKind> {
        let mut state = self.lock();
        let upto = state.taken;
        state.is_urgent = true;
        self.work.notify_one();
        loop {
            if self.durable.load(Ordering::Acquire) >= upto {
                return Ok(());
            }
            match state.phase {
                Phase::Working | Phase::Closing => state = self.wait(&self.done, state),
                Phase::Closed => return Err(ErrorKind::Closed),
                Phase::Failed(kind) => return Err(kind),
            }
        }
    }

    /// Blocks until there is a checkpoint over all that was recorded before.
    pub(crate) fn checkpoint(&self) -> Result<Checkpoint, ErrorKind> {
        let mut state = self.lock();
        state.asked += 1;
        let mine = state.asked;
        self.work.notify_one();
        loop {
            match (state.phase, &state.checkpoint) {
                (_, Some(checkpoint)) if state.made >= mine => return Ok(checkpoint.clone()),
                (Phase::Working | Phase::Closing, _) => state = self.wait(&self.done, state),
                (Phase::Closed, _) => return Err(ErrorKind::Closed),
                (Phase::Failed(kind), _) => return Err(kind),
            }
        }
    }

    /// Takes nothing more. The committer writes what is there and ends.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Working {
            state.phase = Phase::Closing;
        }
        drop(state);
        self.work.notify_one();
    }

    /// Blocks until the committer has ended; the last checkpoint.
    pub(crate) fn closed(&self) -> Result<Checkpoint, ErrorKind> {
        let mut state = self.lock();
        loop {
            match (state.phase, &state.checkpoint) {
                (Phase::Working | Phase::Closing, _) => state = self.wait(&self.done, state),
                (Phase::Closed, Some(checkpoint)) => return Ok(checkpoint.clone()),
                (Phase::Closed, None) => return Err(ErrorKind::Bug),
                (Phase::Failed(kind), _) => return Err(kind),
            }
        }
    }

    /// What became of the log: nothing while it works.
    pub(crate) fn end(&self) -> Option<ErrorKind> {
        match self.lock().phase {
            Phase::Working => None,
            Phase::Closing | Phase::Closed => Some(ErrorKind::Closed),
            Phase::Failed(kind) => Some(kind),
        }
    }

    /// For the committer: waits for work and takes all facts there are into `batch`, which must be empty. Nothing when
    /// `patience` ran out first.
    pub(crate) fn take(&self, batch: &mut Vec<u8>, patience: Option<Duration>) -> Option<Work> {
        let mut state = self.lock();
        if state.facts.is_empty() {
            state.is_urgent = false;
        }
        // Each look says anew what is waited for: whoever wakes the committer takes that back.
        let is_idle = |state: &mut State| {
            state.committer = Committer::Idle;
            state.facts.is_empty()
                && state.dropped == 0
                && state.asked == state.made
                && state.phase == Phase::Working
        };
        match patience {
            Some(patience) => {
                let waited = self.work.wait_timeout_while(state, patience, is_idle);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            None => state = self.work.wait_while(state, is_idle).unwrap_or_else(PoisonError::into_inner),
        }
        if is_idle(&mut state) {
            state.committer = Committer::Busy;
            return None;
        }
        let may_linger = |state: &mut State| {
            state.committer = Committer::Lingering;
            !state.is_urgent
                && state.facts.len() < ENOUGH.min(self.limit / 4)
                && state.asked == state.made
                && state.phase == Phase::Working
        };
        let waited = self.work.wait_timeout_while(state, self.linger, may_linger);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.committer = Committer::Busy;
        state.is_urgent = false;
        std::mem::swap(&mut state.facts, batch);
        let dropped = std::mem::take(&mut state.dropped);
        let checkpoint = (state.asked > state.made).then_some(state.asked);
        Some(Work { upto: state.taken, dropped, checkpoint, is_last: state.phase != Phase::Working })
    }

    /// How many entries of the log are durable.
    pub(crate) fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// For the committer: facts up to this ticket are durable, and so many entries with them.
    pub(crate) fn set_durable(&self, upto: u64, size: u64) {
        let mut state = self.lock();
        self.size.store(size, Ordering::Release);
        self.durable.store(upto, Ordering::Release);
        let waiting = state.wakers.split_off(&(upto + 1));
        let woken = std::mem::replace(&mut state.wakers, waiting);
        drop(state);
        self.done.notify_all();
        woken.into_values().flatten().for_each(Waker::wake);
    }

    /// For the committer: the checkpoints that were asked for are made.
    pub(crate) fn set_checkpoint(&self, checkpoint: &Checkpoint, asked: Option<u64>) {
        let mut state = self.lock();
        state.checkpoint = Some(checkpoint.clone());
        state.made = asked.unwrap_or(state.made);
        drop(state);
        self.done.notify_all();
    }

    /// For the committer: it ends, in order or for this reason.
    pub(crate) fn set_ended(&self, failure: Option<ErrorKind>) {
        let mut state = self.lock();
        state.phase = failure.map_or(Phase::Closed, Phase::Failed);
        let woken = std::mem::take(&mut state.wakers);
        drop(state);
        self.done.notify_all();
        woken.into_values().flatten().for_each(Waker::wake);
    }

    /// Wakes the committer if it would otherwise sleep past this. Waking costs a system call, so a fact that nobody waits for
    /// pays for it only when nothing else was going on.
    fn wake_committer(&self, mut state: MutexGuard<'_, State>, is_urgent: bool) {
        let must_wake = match state.committer {
            Committer::Busy => false,
            Committer::Idle => true,
            Committer::Lingering => is_urgent || state.facts.len() >= ENOUGH.min(self.limit / 4),
        };
        if must_wake {
            // Once is enough; until it has the lock it counts as busy.
            state.committer = Committer::Busy;
            drop(state);
            self.work.notify_one();
        }
    }

    fn wait<'s>(&self, on: &Condvar, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        on.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
