//! A database: one writing and one reading thread.

use std::{
    fs::OpenOptions,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use crate::{Error, ErrorKind, Migration, migrate, worker::Worker};

/// Where a database lies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// In a file, made with mode 0600 if it is absent.
    File(PathBuf),
    /// In memory, gone with the value.
    Memory,
}

/// A SQLite database with one writing and one reading thread. Dropped, it carries out what is queued and closes.
#[derive(Debug)]
pub struct Database {
    // Fields are dropped in their order: the writer closes last, as only it can fold the `-wal` file into the database.
    reader: Option<Worker>,
    writer: Worker,
}

impl Database {
    /// Opens a database.
    ///
    /// # Errors
    /// [`ErrorKind::Open`] when the file cannot be opened, made, or is no database.
    pub fn open(place: Place) -> Result<Self, Error> {
        match place {
            Place::Memory => {
                let writer = Connection::open_in_memory().map_err(cannot_open)?;
                configure(&writer).map_err(cannot_open)?;
                Ok(Self { writer: Worker::writing(writer)?, reader: None })
            }
            Place::File(path) => {
                make_private(&path).map_err(|_| Error::new(ErrorKind::Open))?;
                let writer = Connection::open_with_flags(
                    &path,
                    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
                )
                .map_err(cannot_open)?;
                configure(&writer).map_err(cannot_open)?;
                let reader = Connection::open_with_flags(
                    &path,
                    OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
                )
                .map_err(cannot_open)?;
                reader.busy_timeout(BUSY_TIMEOUT).map_err(cannot_open)?;
                reader
                    .execute_batch("PRAGMA trusted_schema=OFF; PRAGMA query_only=ON")
                    .map_err(cannot_open)?;
                Ok(Self { writer: Worker::writing(writer)?, reader: Some(Worker::reading(reader)?) })
            }
        }
    }

    /// Brings one set of tables to its latest version. Several sets live in one database without knowing each other.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] when an applied migration has another text than the one given here, or is unknown here;
    /// nothing is changed then.
    pub async fn migrate(&self, set: &'static str, migrations: &'static [Migration]) -> Result<(), Error> {
        if self.write(move |sql| migrate::apply(sql, set, migrations)).await? {
            Ok(())
        } else {
            Err(ErrorKind::Schema.into())
        }
    }

    /// Runs a closure on the writing thread, in a savepoint of its own; answers once it is committed. What it returns as an
    /// error undoes what it did.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] when the queue is full, [`ErrorKind::Constraint`], [`ErrorKind::Io`], …
    ///
    /// # Cancel safety
    /// Dropped before it ends, the closure is still carried out.
    pub async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.writer.submit(work)?.await
    }

    /// Runs a closure on the reading thread, which cannot write. It sees every write that was answered before.
    ///
    /// # Errors
    /// As [`Database::write`].
    pub async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        // A database in memory has one connection only.
        self.reader.as_ref().unwrap_or(&self.writer).submit(work)?.await
    }
}

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

fn configure(sql: &Connection) -> rusqlite::Result<()> {
    sql.busy_timeout(BUSY_TIMEOUT)?;
    // SECURITY: secure_delete overwrites what is erased, so that personal data does not outlive its row in free pages.
    sql.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;
         PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;",
    )
}

/// SQLite gives the `-wal` and `-shm` files the mode of the database's file.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn cannot_open(error: rusqlite::Error) -> Error {
    match Error::from(error).kind() {
        ErrorKind::Busy => ErrorKind::Busy.into(),
        _ => ErrorKind::Open.into(),
    }
}
