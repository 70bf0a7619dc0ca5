//! The log: a recorder whose facts survive a loss of power and can be verified.

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    thread::{JoinHandle, ThreadId},
};

use bartizan_core::{Clock, Entropy, Fact, NotRecorded, Recorder, Ticket};
use bartizan_crypto::Provider;

use crate::{
    Error, ErrorKind,
    checkpoint::{Checkpoint, CheckpointKey},
    committer::Committer,
    config::{LogConfig, Start},
    disk::Disk,
    format::LogId,
    queue::Queue,
    real_disk::RealDisk,
    recover,
    writer::Parts,
};

/// A durable, tamper-evident log; pass it on as `Arc<dyn Recorder>`.
///
/// [`Recorder::record`] copies the fact into a bounded queue and returns. One thread takes what has gathered, encodes and hashes
/// it, writes it at once and waits for one `fdatasync`; then [`Recorder::poll_durable`] is ready for all of it.
///
/// - A full queue refuses critical and standard facts with [`NotRecorded`]. Facts that may be dropped are dropped when half of the
///   queue is full: `record` answers `Ok` then, `poll_durable` of that ticket an error, and a `log_gap` entry holds the count.
/// - A failed write or sync is final: from then on everything is [`NotRecorded`], and what waits is told so. Open the log again.
/// - Dropping the last handle closes the log in order, and blocks until its last entry is durable.
pub struct Log {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
    thread_id: ThreadId,
    origin: Box<str>,
    id: LogId,
}

/// What became of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It takes facts.
    Working,
    /// It was closed.
    Closed,
    /// It failed, for good, for this reason. Nothing is recorded until it is opened again.
    Failed(ErrorKind),
}

impl Log {
    /// Opens the log of a directory for this one writer, and makes it where there is none.
    ///
    /// Reads the last segment, compares it with the committed size and the newest signed checkpoint, sets aside what a crash
    /// left behind the last whole entry, and puts the opening on record. Blocks for the disk.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] while another writer has it; [`ErrorKind::Truncated`] when committed entries are missing, with their
    /// range; [`ErrorKind::Corrupt`] and [`ErrorKind::Forked`] when bytes are not what was written or signed; [`ErrorKind::Absent`]
    /// where there must be a log and is none; [`ErrorKind::Config`], [`ErrorKind::Key`], [`ErrorKind::Directory`],
    /// [`ErrorKind::Checkpoint`], [`ErrorKind::Storage`], [`ErrorKind::Entropy`].
    ///
    /// # Security
    /// A log that was cut and whose other files were all set back to the same earlier day is found out only by a checkpoint
    /// that was kept elsewhere: [`LogConfig::held`].
    pub fn open(
        config: LogConfig,
        provider: Arc<dyn Provider>,
        key: CheckpointKey,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
    ) -> Result<Arc<Self>, Error> {
        config.check()?;
        let disk = match config.start {
            Start::CreateIfAbsent => RealDisk::create(&config.directory)?,
            Start::MustExist => RealDisk::open(&config.directory)?,
        };
        Self::open_on(Arc::new(disk), config, provider, key, clock, entropy)
    }

    /// The same on any disk; the directory of the configuration is not looked at.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn open_on(
        disk: Arc<dyn Disk>,
        config: LogConfig,
        provider: Arc<dyn Provider>,
        key: CheckpointKey,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
    ) -> Result<Arc<Self>, Error> {
        config.check()?;
        key.check(&*provider)?;
        let lock = disk.lock().map_err(|error| match error.kind() {
            std::io::ErrorKind::WouldBlock => ErrorKind::Locked.into(),
            _ => Error::from(error),
        })?;
        let parts = Parts { disk, provider, clock: Arc::clone(&clock), key };
        let (writer, opened) = recover::open(parts, &config, entropy)?;
        let id = writer.log();
        let (committer, queue) = Committer::start(writer, opened, &config, clock, lock)?;
        let thread =
            std::thread::Builder::new().name("bartizan-audit".into()).spawn(move || committer.run())?;
        let thread_id = thread.thread().id();
        let origin = config.origin.into();
        Ok(Arc::new(Self { queue, thread: Mutex::new(Some(thread)), thread_id, origin, id }))
    }

    /// The log's name.
    #[must_use]
    pub const fn origin(&self) -> &str {
        &self.origin
    }

    /// The log's own id.
    #[must_use]
    pub const fn id(&self) -> LogId {
        self.id
    }

    /// How many entries are durable.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.queue.size()
    }

    /// How many bytes of facts wait to be written, of [`LogConfig::queue_bytes`].
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.queue.queued_bytes()
    }

    /// Whether it works.
    #[must_use]
    pub fn health(&self) -> Health {
        match self.queue.end() {
            None => Health::Working,
            Some(ErrorKind::Closed) => Health::Closed,
            Some(kind) => Health::Failed(kind),
        }
    }

    /// Blocks until everything recorded so far is durable.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`], or why the log failed.
    pub fn flush(&self) -> Result<(), Error> {
        Ok(self.queue.flush()?)
    }

    /// Signs for everything recorded so far, and blocks until that is durable. Keep the answer on another machine.
    ///
    /// # Errors
    /// As [`Log::flush`].
    pub fn checkpoint(&self) -> Result<Checkpoint, Error> {
        Ok(self.queue.checkpoint()?)
    }

    /// Takes nothing more, writes what is queued and a `log_stopped` entry, and signs for all of it. Once closed it answers
    /// the same again.
    ///
    /// # Errors
    /// Why the log failed; the last facts are not on record then.
    pub fn close(&self) -> Result<Checkpoint, Error> {
        self.queue.close();
        let checkpoint = self.queue.closed()?;
        self.join();
        Ok(checkpoint)
    }

    /// Waits for the thread, so that the lock is free afterwards.
    fn join(&self) {
        // The last handle may be dropped by a task that the committer itself wakes: it cannot wait for itself.
        if std::thread::current().id() == self.thread_id {
            return;
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic there has already failed the log.
            let _ = thread.join();
        }
    }
}

impl Recorder for Log {
    fn record(&self, fact: &Fact<'_>) -> Result<Ticket, NotRecorded> {
        self.queue.record(fact)
    }

    fn poll_durable(&self, ticket: Ticket, cx: &mut Context<'_>) -> Poll<Result<(), NotRecorded>> {
        self.queue.poll_durable(ticket, cx)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.queue.close();
        self.join();
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("origin", &self.origin).field("id", &self.id).finish_non_exhaustive()
    }
}

/// Opens a directory for reading only.
pub(crate) fn read_only(directory: &Path) -> Result<RealDisk, Error> {
    match directory.is_dir() {
        true => RealDisk::open_to_read(directory),
        false => Err(ErrorKind::Absent.into()),
    }
}
