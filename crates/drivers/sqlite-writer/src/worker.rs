//! The threads that own the connections.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    thread::JoinHandle,
};

use rusqlite::Connection;

use crate::{
    Error, ErrorKind,
    answer::{Answer, Sender, answer},
};

/// Most closures in one transaction.
const BATCH: usize = 256;

/// Most closures that wait.
const QUEUE: usize = 4_096;

/// A closure with somebody who waits for its answer.
pub(crate) trait Job: Send {
    /// Runs the closure and keeps what came out.
    fn run(&mut self, sql: &Connection) -> Result<(), Error>;
    /// Sends what came out, or the error that undid it.
    fn finish(self: Box<Self>, undone: Option<Error>);
}

struct Closure<T, F> {
    work: Option<F>,
    result: Option<Result<T, Error>>,
    sender: Sender<T>,
}

impl<T, F> Job for Closure<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
{
    fn run(&mut self, sql: &Connection) -> Result<(), Error> {
        let Some(work) = self.work.take() else {
            return Err(ErrorKind::Statement.into());
        };
        let result = match catch_unwind(AssertUnwindSafe(|| work(sql))) {
            Ok(result) => result.map_err(Error::from),
            Err(_) => Err(ErrorKind::Statement.into()),
        };
        let ended = result.as_ref().map(|_| ()).map_err(Clone::clone);
        self.result = Some(result);
        ended
    }

    fn finish(self: Box<Self>, undone: Option<Error>) {
        let Self { result, sender, .. } = *self;
        let result = result.unwrap_or_else(|| Err(ErrorKind::Closed.into()));
        sender.send(match undone {
            Some(error) if result.is_ok() => Err(error),
            _ => result,
        });
    }
}

/// A thread with a connection and a bounded queue.
#[derive(Debug)]
pub(crate) struct Worker {
    queue: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Runs closures in batches, each batch a transaction.
    pub(crate) fn writing(connection: Connection) -> Result<Self, Error> {
        Self::started("sqlite-writer", move |queue| {
            while let Ok(first) = queue.recv() {
                write_batch(&connection, first, &queue);
            }
        })
    }

    /// Runs closures one by one, each in a read transaction of its own statements.
    pub(crate) fn reading(connection: Connection) -> Result<Self, Error> {
        Self::started("sqlite-reader", move |queue| {
            while let Ok(mut job) = queue.recv() {
                let _ = job.run(&connection);
                job.finish(None);
            }
        })
    }

    fn started(
        name: &str,
        work: impl FnOnce(Receiver<Box<dyn Job>>) + Send + 'static,
    ) -> Result<Self, Error> {
        let (sender, receiver) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(receiver))
            .map_err(|_| Error::new(ErrorKind::Open))?;
        Ok(Self { queue: Some(sender), thread: Some(thread) })
    }

    /// Puts a closure in the queue.
    pub(crate) fn submit<T, F>(&self, work: F) -> Result<Answer<T>, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (sender, answer) = answer();
        let job = Box::new(Closure { work: Some(work), result: None, sender });
        match self.queue.as_ref().map(|queue| queue.try_send(job)) {
            Some(Ok(())) => Ok(answer),
            Some(Err(TrySendError::Full(_))) => Err(ErrorKind::Busy.into()),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(ErrorKind::Closed.into()),
        }
    }
}

/// What is in the queue is still carried out.
impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            // A closure may hold the last handle: its own thread drops it, and must not wait for itself.
            && thread.thread().id() != std::thread::current().id()
        {
            // A thread that panicked has nothing left to close.
            let _ = thread.join();
        }
    }
}

fn write_batch(sql: &Connection, first: Box<dyn Job>, queue: &Receiver<Box<dyn Job>>) {
    let mut batch = vec![first];
    let undone = carry_out(sql, &mut batch, queue).err();
    if undone.is_some() && !sql.is_autocommit() {
        // Nothing better can be done when undoing fails too: the next BEGIN will say so.
        let _ = sql.execute_batch("ROLLBACK");
    }
    for job in batch {
        job.finish(undone.clone());
    }
}

/// All closures in one transaction, each in a savepoint. An error here undoes the whole batch.
///
/// What comes while the first ones run belongs to the batch as well: those who were answered together ask again one after the
/// other, and would else be divided between two syncs of the disk.
fn carry_out(
    sql: &Connection,
    batch: &mut Vec<Box<dyn Job>>,
    queue: &Receiver<Box<dyn Job>>,
) -> Result<(), Error> {
    sql.execute_batch("BEGIN IMMEDIATE")?;
    let mut done = 0;
    while let Some(job) = batch.get_mut(done) {
        done += 1;
        sql.prepare_cached("SAVEPOINT job")?.execute([])?;
        let ended = job.run(sql);
        // Some errors (disk full, I/O) make SQLite roll the whole transaction back by itself.
        if sql.is_autocommit() {
            return Err(ended.err().unwrap_or_else(|| ErrorKind::Statement.into()));
        }
        if ended.is_err() {
            sql.prepare_cached("ROLLBACK TO job")?.execute([])?;
        }
        sql.prepare_cached("RELEASE job")?.execute([])?;
        if done == batch.len() {
            batch.extend(queue.try_iter().take(BATCH.saturating_sub(done)));
        }
    }
    sql.execute_batch("COMMIT")?;
    Ok(())
}
