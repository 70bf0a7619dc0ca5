//! The one writer of a log: frames, commits, segments, checkpoints. Single-threaded; the committer owns it.
//!
//! The order of a commit is what all else rests on: frames, `fdatasync`, acknowledgement, head. A loss of power before the
//! sync leaves bytes behind the head that nobody was promised; after it, whole frames behind a head that lags. The head on the
//! medium is never ahead of the frames, so frames that are missing before it were taken away.

use std::{io, sync::Arc};

use bartizan_core::Clock;
use bartizan_crypto::Provider;

use crate::{
    Error, ErrorKind,
    checkpoint::{Checkpoint, CheckpointKey},
    config::LogConfig,
    disk::{Access, Disk, DiskFile, append_all},
    draft::Draft,
    format::{BLOCK, FRAME_HEADER, FrameSum, HEAD_NAME, Head, LogId, SegmentHeader, State, segment_name},
    heads::HeadFile,
    merkle::Tree,
    payload,
    walk::MAX_COMMIT,
};

/// From how many staged bytes on a commit is due.
const FULL_BATCH: usize = MAX_COMMIT - (64 << 10);

#[derive(Debug)]
pub(crate) struct Writer {
    disk: Arc<dyn Disk>,
    provider: Arc<dyn Provider>,
    clock: Arc<dyn Clock>,
    key: CheckpointKey,
    origin: Box<str>,
    log: LogId,
    segment_bytes: u64,
    segment: OpenSegment,
    head: HeadFile,
    tree: Tree,
    checkpoint: Checkpoint,
    /// Frames that are not written yet.
    staged: Vec<u8>,
    payload: Vec<u8>,
}

#[derive(Debug)]
struct OpenSegment {
    file: Box<dyn DiskFile>,
    number: u64,
    /// Committed bytes.
    length: u64,
    sum: FrameSum,
}

/// What a writer works with.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) key: CheckpointKey,
}

/// Where a writer goes on.
#[derive(Debug)]
pub(crate) struct Position {
    pub(crate) log: LogId,
    pub(crate) segment: u64,
    pub(crate) length: u64,
    pub(crate) tree: Tree,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) head: HeadFile,
}

impl Writer {
    /// Makes the first segment and the head of a new log.
    pub(crate) fn create(parts: Parts, config: &LogConfig, log: LogId) -> Result<Self, Error> {
        let tree = Tree::new();
        let checkpoint = sign(&parts, &config.origin, log, &tree)?;
        let header = header(log, 0, &tree, 0, &checkpoint);
        make_segment(&*parts.disk, &header)?;
        // The head comes second: files without one hold nothing that anybody was promised.
        let file = parts.disk.open(HEAD_NAME, Access::NewWrite)?;
        let mut head = HeadFile { file, at_risk: 0, generation: 0 };
        let first = Head {
            state: State::Open,
            log,
            generation: 0,
            segment: 0,
            length: BLOCK as u64,
            size: 0,
            root: tree.root(parts.provider.hash()),
            note: checkpoint.as_str().into(),
        };
        head.write_both(first)?;
        parts.disk.sync_names()?;
        let position = Position { log, segment: 0, length: BLOCK as u64, tree, checkpoint, head };
        Self::resume(parts, config, position)
    }

    /// Says on the medium that somebody writes, before anything is written.
    pub(crate) fn begin(&mut self) -> Result<(), Error> {
        let head = self.head_now(State::Open);
        self.head.write_both(head)
    }

    /// Goes on where a log ended.
    pub(crate) fn resume(parts: Parts, config: &LogConfig, position: Position) -> Result<Self, Error> {
        let Parts { disk, provider, clock, key } = parts;
        let Position { log, segment, length, tree, checkpoint, head } = position;
        let file = disk.open(&segment_name(segment), Access::Append)?;
        Ok(Self {
            disk,
            provider,
            clock,
            key,
            origin: config.origin.as_str().into(),
            log,
            segment_bytes: config.segment_bytes,
            segment: OpenSegment { file, number: segment, length, sum: FrameSum::new(log, segment) },
            head,
            tree,
            checkpoint,
            staged: Vec::with_capacity(MAX_COMMIT),
            payload: Vec::new(),
        })
    }

    /// How many entries there are, with those that are not committed yet.
    pub(crate) const fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The log's own id.
    pub(crate) const fn log(&self) -> LogId {
        self.log
    }

    /// The number of the segment that is written to.
    pub(crate) const fn segment(&self) -> u64 {
        self.segment.number
    }

    /// The newest checkpoint.
    pub(crate) const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Whether a commit is due before more is staged.
    pub(crate) const fn is_full(&self) -> bool {
        self.staged.len() >= FULL_BATCH
    }

    /// Adds an entry to the batch. Commits the batch first when the entry begins a new segment.
    pub(crate) fn stage(&mut self, draft: &Draft<'_>) -> Result<(), Error> {
        payload::write(draft, &mut self.payload).map_err(|_| ErrorKind::Bug)?;
        let end = self.segment.length + (self.staged.len() + FRAME_HEADER + self.payload.len()) as u64;
        let is_fresh = self.segment.length == BLOCK as u64 && self.staged.is_empty();
        if end > self.segment_bytes && !is_fresh {
            self.roll()?;
        }
        if !self.segment.sum.append(self.tree.size(), &self.payload, &mut self.staged) {
            return Err(ErrorKind::Bug.into());
        }
        self.tree.push(self.provider.hash(), &self.payload);
        Ok(())
    }

    /// Makes the batch durable. All of it may be acknowledged when this returns.
    ///
    /// # Errors
    /// Final: after a failed write or sync nobody knows what the file holds, and a second sync would prove nothing.
    pub(crate) fn commit(&mut self) -> Result<(), Error> {
        if self.staged.is_empty() {
            return Ok(());
        }
        let OpenSegment { file, length, .. } = &mut self.segment;
        if !file.is_in_place()? || file.length()? != *length {
            return Err(ErrorKind::Replaced.into());
        }
        append_all(&**file, &self.staged)?;
        // SECURITY: without this line acknowledged entries are lost with the power; `crash` shows it.
        file.sync()?;
        *length += self.staged.len() as u64;
        self.staged.clear();
        self.write_head(State::Open)
    }

    /// Commits, and signs for all entries so far.
    pub(crate) fn make_checkpoint(&mut self) -> Result<&Checkpoint, Error> {
        self.commit()?;
        self.checkpoint = self.sign()?;
        self.write_head(State::Open)?;
        self.head.sync()?;
        Ok(&self.checkpoint)
    }

    /// Commits, signs for all entries, and says that nothing follows.
    pub(crate) fn close(&mut self) -> Result<&Checkpoint, Error> {
        self.make_checkpoint()?;
        let head = self.head_now(State::Closed);
        self.head.write_both(head)?;
        Ok(&self.checkpoint)
    }

    /// Ends the segment and begins the next one.
    fn roll(&mut self) -> Result<(), Error> {
        self.commit()?;
        self.checkpoint = self.sign()?;
        let number = self.segment.number + 1;
        let header = header(self.log, number, &self.tree, self.segment.length, &self.checkpoint);
        make_segment(&*self.disk, &header)?;
        let file = self.disk.open(&segment_name(number), Access::Append)?;
        let sum = FrameSum::new(self.log, number);
        self.segment = OpenSegment { file, number, length: BLOCK as u64, sum };
        // Before any frame goes to the new segment, so that the head on the medium lags by less than a segment.
        self.write_head(State::Open)?;
        self.head.sync()
    }

    fn sign(&self) -> Result<Checkpoint, Error> {
        let (hash, at) = (self.provider.hash(), self.clock.wall());
        let tree = (self.tree.size(), self.tree.root(hash));
        Checkpoint::sign(&self.key, hash, (&self.origin, self.log), tree, at)
    }

    fn write_head(&mut self, state: State) -> Result<(), Error> {
        let head = self.head_now(state);
        self.head.write(head)
    }

    fn head_now(&self, state: State) -> Head {
        Head {
            state,
            log: self.log,
            generation: 0,
            segment: self.segment.number,
            length: self.segment.length,
            size: self.tree.size(),
            root: self.tree.root(self.provider.hash()),
            note: self.checkpoint.as_str().into(),
        }
    }
}

fn sign(parts: &Parts, origin: &str, log: LogId, tree: &Tree) -> Result<Checkpoint, Error> {
    let hash = parts.provider.hash();
    let tree = (tree.size(), tree.root(hash));
    Checkpoint::sign(&parts.key, hash, (origin, log), tree, parts.clock.wall())
}

fn header(log: LogId, number: u64, tree: &Tree, before: u64, checkpoint: &Checkpoint) -> SegmentHeader {
    SegmentHeader {
        log,
        number,
        first: tree.size(),
        before,
        peaks: tree.peaks().to_vec(),
        note: checkpoint.as_str().into(),
    }
}

fn make_segment(disk: &dyn Disk, header: &SegmentHeader) -> io::Result<()> {
    let file = disk.open(&segment_name(header.number), Access::NewAppend)?;
    append_all(&*file, &header.to_bytes())?;
    file.sync()?;
    disk.sync_names()
}
