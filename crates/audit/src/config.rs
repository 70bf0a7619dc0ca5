//! How a log is set up.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use bartizan_crypto::PublicKey;

use crate::{
    Error, ErrorKind,
    checkpoint::{Checkpoint, is_origin},
};

/// How a log is set up. Only directory and origin have no default.
#[derive(Clone, Debug)]
pub struct LogConfig {
    pub(crate) directory: PathBuf,
    pub(crate) origin: String,
    pub(crate) start: Start,
    pub(crate) trusted: Vec<PublicKey>,
    pub(crate) held: Option<Checkpoint>,
    pub(crate) queue_bytes: usize,
    pub(crate) segment_bytes: u64,
    pub(crate) checkpoint_entries: u64,
    pub(crate) checkpoint_every: Duration,
    pub(crate) linger: Duration,
}

/// What to do where there is no log yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    CreateIfAbsent,
    MustExist,
}

impl LogConfig {
    /// A log in this directory, which is made with mode 0700 if it is absent, under this name.
    ///
    /// `origin` is 1 to 128 printable ASCII characters without space and `+`; by convention a host name and a path without a
    /// scheme, such as `clinic.example/audit`. It stands in every checkpoint and must be the log's own among all logs whose
    /// checkpoints the same people hold.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>, origin: impl Into<String>) -> Self {
        Self {
            directory: directory.into(),
            origin: origin.into(),
            start: Start::CreateIfAbsent,
            trusted: Vec::new(),
            held: None,
            queue_bytes: 8 << 20,
            segment_bytes: 64 << 20,
            checkpoint_entries: 65_536,
            checkpoint_every: Duration::from_secs(1),
            linger: Duration::from_millis(2),
        }
    }

    /// Refuses to make a new log: there must be one.
    ///
    /// # Security
    /// Without it, or a held checkpoint, a log that was deleted as a whole starts again from nothing.
    #[must_use]
    pub fn must_exist(mut self) -> Self {
        self.start = Start::MustExist;
        self
    }

    /// Believes checkpoints of an earlier key too. The current key is always believed.
    #[must_use]
    pub fn trusting(mut self, earlier: PublicKey) -> Self {
        self.trusted.push(earlier);
        self
    }

    /// Verifies the whole log before it is opened, and refuses it unless it is consistent to this checkpoint, kept elsewhere.
    /// Costs about a second for a million entries.
    #[must_use]
    pub fn held(mut self, checkpoint: Checkpoint) -> Self {
        self.held = Some(checkpoint);
        self
    }

    /// How many bytes of facts may wait, 256 KiB to 1 GiB; 8 MiB unless set. The memory that the log takes is about twice
    /// that and 3 MiB. Half of it is open to facts that may be dropped, seven eighths to standard ones, all to critical ones.
    #[must_use]
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// From how many bytes on a segment is followed by the next, 8 KiB to 64 GiB; 64 MiB unless set. Opening the log reads one
    /// segment.
    #[must_use]
    pub fn segment_bytes(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes;
        self
    }

    /// After how many entries a checkpoint is signed at the latest, at least 1; 65,536 unless set.
    #[must_use]
    pub fn checkpoint_entries(mut self, entries: u64) -> Self {
        self.checkpoint_entries = entries;
        self
    }

    /// After how long a checkpoint is signed at the latest when there are entries since the last, at least 10 ms; 1 s unless
    /// set.
    #[must_use]
    pub fn checkpoint_every(mut self, time: Duration) -> Self {
        self.checkpoint_every = time;
        self
    }

    /// How long a fact that nobody waits for may stay in memory so that others share its sync, at most 1 s; 2 ms unless set.
    #[must_use]
    pub fn linger(mut self, time: Duration) -> Self {
        self.linger = time;
        self
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The log's name.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let fits = is_origin(&self.origin)
            && (256 << 10..=1 << 30).contains(&self.queue_bytes)
            && (MIN_SEGMENT..=64 << 30).contains(&self.segment_bytes)
            && self.checkpoint_entries >= 1
            && self.checkpoint_every >= Duration::from_millis(10)
            && self.linger <= Duration::from_secs(1);
        if fits { Ok(()) } else { Err(ErrorKind::Config.into()) }
    }
}

/// A header and some entries. An entry that is longer has a segment of its own.
const MIN_SEGMENT: u64 = 8 << 10;
