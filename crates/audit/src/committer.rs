//! The one thread that encodes, hashes, writes and signs.

use std::{sync::Arc, time::Duration};

use bartizan_audit_events::Event;
use bartizan_core::{Clock, Detail, DetailValue, Fact, Origin, Outcome, Subject, Target};

use crate::{
    Error, ErrorKind,
    config::LogConfig,
    disk::Lock,
    draft,
    queue::{Queue, Work},
    recover::Opened,
    writer::Writer,
};

#[derive(Debug)]
pub(crate) struct Committer {
    queue: Arc<Queue>,
    writer: Writer,
    clock: Arc<dyn Clock>,
    origin: Box<str>,
    checkpoint_entries: u64,
    checkpoint_every: Duration,
    batch: Vec<u8>,
    /// One of the log's own facts on its way.
    own: Vec<u8>,
    _lock: Box<dyn Lock>,
}

impl Committer {
    /// Puts the opening on record and signs for it, before anybody else records.
    pub(crate) fn start(
        mut writer: Writer,
        opened: Opened,
        config: &LogConfig,
        clock: Arc<dyn Clock>,
        lock: Box<dyn Lock>,
    ) -> Result<(Self, Arc<Queue>), Error> {
        writer.begin()?;
        let queue = Arc::new(Queue::new(config.queue_bytes, config.linger, 0));
        let mut committer = Self {
            queue: Arc::clone(&queue),
            writer,
            clock,
            origin: config.origin.as_str().into(),
            checkpoint_entries: config.checkpoint_entries,
            checkpoint_every: config.checkpoint_every,
            batch: Vec::with_capacity(config.queue_bytes + draft::MAX_DRAFT),
            own: Vec::new(),
            _lock: lock,
        };
        // The log's random id is in the first entry, so that every root is that of this log and no other.
        let log = committer.writer.log().to_string();
        let is_new = opened == Opened::New;
        committer.stage_own(
            Event::LOG_STARTED,
            Outcome::Success,
            &[detail("log", DetailValue::Text(&log)), detail("new", DetailValue::Flag(is_new))],
        )?;
        if let Opened::Recovered { kept, torn_bytes, is_head_damaged } = opened {
            committer.stage_own(
                Event::LOG_RECOVERED,
                Outcome::Success,
                &[
                    detail("kept_entries", number(kept)),
                    detail("torn_bytes", number(torn_bytes)),
                    detail("head_slot_damaged", DetailValue::Flag(is_head_damaged)),
                ],
            )?;
        }
        committer.make_checkpoint(None)?;
        queue.set_durable(0, committer.writer.size());
        Ok((committer, queue))
    }

    /// Works until the log is closed or fails.
    pub(crate) fn run(mut self) {
        // Whatever ends this thread ends the log: nobody may wait for it in vain.
        let mut end = End { queue: Arc::clone(&self.queue), failure: Some(ErrorKind::Bug) };
        end.failure = self.work().err().map(|error| error.kind());
    }

    fn work(&mut self) -> Result<(), Error> {
        let mut signed = self.clock.monotonic();
        loop {
            let has_unsigned = self.writer.size() > self.writer.checkpoint().size();
            let mut batch = std::mem::take(&mut self.batch);
            let work = self.queue.take(&mut batch, has_unsigned.then_some(self.checkpoint_every));
            self.batch = batch;
            let Some(work) = work else {
                self.make_checkpoint(None)?;
                signed = self.clock.monotonic();
                continue;
            };
            self.write(&work)?;
            if work.is_last {
                return self.close(&work);
            }
            let unsigned = self.writer.size() - self.writer.checkpoint().size();
            let is_due = unsigned >= self.checkpoint_entries
                || unsigned > 0 && self.clock.monotonic().since(signed) >= self.checkpoint_every;
            if is_due || work.checkpoint.is_some() {
                self.make_checkpoint(work.checkpoint)?;
                signed = self.clock.monotonic();
            }
        }
    }

    /// Writes a batch and acknowledges it.
    fn write(&mut self, work: &Work) -> Result<(), Error> {
        let batch = std::mem::take(&mut self.batch);
        let mut rest = &*batch;
        let count = std::iter::from_fn({
            let mut rest = rest;
            move || draft::skip(&mut rest)
        })
        .count() as u64;
        // INVARIANT(tickets-in-order): the batch holds the facts of the tickets up to `upto`, in order and without a gap.
        let mut ticket = work.upto - count;
        while let Some(draft) = draft::read(&mut rest) {
            let draft = draft.map_err(|_| ErrorKind::Bug)?;
            let segment = self.writer.segment();
            self.writer.stage(&draft)?;
            if self.writer.segment() != segment {
                // All before this entry became durable when its segment ended.
                self.queue.set_durable(ticket, self.writer.size() - 1);
                let segment = number(self.writer.segment());
                self.stage_own(Event::LOG_ROTATED, Outcome::Success, &[detail("segment", segment)])?;
            }
            ticket += 1;
            if self.writer.is_full() {
                self.writer.commit()?;
                self.queue.set_durable(ticket, self.writer.size());
            }
        }
        if work.dropped > 0 {
            self.stage_own(Event::LOG_GAP, Outcome::Failure, &[detail("dropped", number(work.dropped))])?;
        }
        self.writer.commit()?;
        self.queue.set_durable(work.upto, self.writer.size());
        self.batch = batch;
        self.batch.clear();
        Ok(())
    }

    fn close(&mut self, work: &Work) -> Result<(), Error> {
        self.stage_own(Event::LOG_STOPPED, Outcome::Success, &[])?;
        let checkpoint = self.writer.close()?.clone();
        self.queue.set_durable(work.upto, self.writer.size());
        self.queue.set_checkpoint(&checkpoint, work.checkpoint);
        Ok(())
    }

    fn make_checkpoint(&mut self, asked: Option<u64>) -> Result<(), Error> {
        let checkpoint = self.writer.make_checkpoint()?;
        self.queue.set_checkpoint(checkpoint, asked);
        Ok(())
    }

    /// Stages one of the log's own facts.
    fn stage_own(&mut self, event: Event, outcome: Outcome, details: &[Detail<'_>]) -> Result<(), Error> {
        let fact = Fact::new(
            event.code(),
            outcome,
            self.clock.wall(),
            Subject::Process("bartizan-audit"),
            Target::Named { kind: "log", name: &self.origin },
            Origin::service(&self.origin),
        )
        .delivered(event.delivery())
        .with(details);
        self.own.clear();
        draft::write(&fact, &mut self.own);
        let draft = draft::read(&mut &*self.own).and_then(Result::ok).ok_or(ErrorKind::Bug)?;
        self.writer.stage(&draft)
    }
}

const fn detail<'a>(name: &'static str, value: DetailValue<'a>) -> Detail<'a> {
    Detail { name, value }
}

fn number(number: u64) -> DetailValue<'static> {
    DetailValue::Number(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Ends the log when the thread ends, also by a panic of a waker that it called.
struct End {
    queue: Arc<Queue>,
    failure: Option<ErrorKind>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.queue.set_ended(self.failure);
    }
}
