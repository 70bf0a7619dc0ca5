//! The store, and its sessions.

use std::sync::Arc;

use async_trait::async_trait;
use bartizan_core::UnixTime;
use bartizan_sessions::{
    Begin, Begun, Digest, End, Ended, Error, Note, Rotate, Rotation, Session, SessionKey, SessionStore,
    StoredSession, to_millis,
};
use bartizan_sqlite_writer::{self as sqlite, Database, Migration};
use rusqlite::{Connection, params};

use crate::{
    column::must_fit,
    error::translated,
    row::{FOUND, Found, LIVES, write_seen},
    session::{self, Ending, Of, by_key, by_selector},
};

/// Sessions, revocations, their outbox, API keys and one-time tokens in one SQLite database, which other tables may share.
#[derive(Clone, Debug)]
pub struct SqliteSessionStore {
    database: Arc<Database>,
}

impl SqliteSessionStore {
    /// A store in this database, whose tables are made or brought up to date.
    ///
    /// # Errors
    /// [`Schema`](sqlite::ErrorKind::Schema) when the tables were made by another version of this crate, and as
    /// [`Database::write`].
    pub async fn open(database: Arc<Database>) -> Result<Self, sqlite::Error> {
        database.migrate("sessions", MIGRATIONS).await?;
        // More statements than rusqlite keeps prepared by itself.
        let keep = |sql: &Connection| {
            sql.set_prepared_statement_cache_capacity(STATEMENTS);
            Ok(())
        };
        database.write(keep).await?;
        database.read(keep).await?;
        Ok(Self { database })
    }

    /// Carried out even if the caller stops waiting; answered once it is on the disk.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        self.database.write(work).await.map_err(|error| translated(&error))
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        self.database.read(work).await.map_err(|error| translated(&error))
    }
}

const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "sessions", sql: include_str!("schema.sql") }];

/// How many statements are kept prepared on each connection.
const STATEMENTS: usize = 64;

#[async_trait]
impl SessionStore for SqliteSessionStore {
    async fn begin(&self, begin: &Begin) -> Result<Begun, Error> {
        let session = &begin.row.session;
        must_fit([&*session.tenant, &session.subject, &begin.note.0])?;
        let facts = session.facts.to_text()?;
        let begin = begin.clone();
        self.write(move |sql| session::begin(sql, &begin, &facts)).await
    }

    async fn rotate(&self, ask: &Rotate) -> Result<Rotation, Error> {
        must_fit([&*ask.note.0])?;
        // What does not fit is refused before anything is written.
        ask.facts.as_ref().map(bartizan_sessions::Facts::to_text).transpose()?;
        let ask = ask.clone();
        self.write(move |sql| session::rotate(sql, &ask)).await
    }

    async fn find(&self, selector: &Digest) -> Result<Option<StoredSession>, Error> {
        let selector = *selector.as_bytes();
        let found = self.read(move |sql| by_selector(sql, &selector)).await?;
        Ok(found.filter(Found::lives).map(|found| found.row))
    }

    async fn confirm(&self, key: SessionKey, generation: u64) -> Result<(), Error> {
        let Ok(generation) = i64::try_from(generation) else { return Ok(()) };
        self.write(move |sql| {
            sql.prepare_cached(
                "UPDATE bartizan_sessions SET previous = NULL, nonce = NULL
                 WHERE key = ?1 AND generation = ?2 AND (previous IS NOT NULL OR nonce IS NOT NULL)",
            )?
            .execute(params![key.as_bytes(), generation])
            .map(drop)
        })
        .await
    }

    async fn seen(&self, key: SessionKey, now: UnixTime, idle_expires: UnixTime) -> Result<(), Error> {
        self.write(move |sql| {
            let Some(found) = by_key(sql, key)?.filter(Found::lives) else { return Ok(()) };
            let mut session = found.row.session.clone();
            if now >= session.idle_expires || now >= session.expires {
                return Ok(());
            }
            session.seen = session.seen.max(now);
            session.idle_expires = session.idle_expires.max(idle_expires).min(session.expires);
            write_seen(sql, &found, &session)
        })
        .await
    }

    async fn list(&self, tenant: &str, subject: &str, now: UnixTime) -> Result<Vec<Session>, Error> {
        let (tenant, subject, now) = (tenant.to_owned(), subject.to_owned(), to_millis(now));
        self.read(move |sql| {
            sql.prepare_cached(&format!(
                "SELECT {FOUND} FROM bartizan_sessions s
                 WHERE s.tenant = ?1 AND s.subject = ?2 AND {LIVES} AND ?3 < s.idle_expires AND ?3 < s.expires
                 ORDER BY s.seen DESC, s.key DESC"
            ))?
            .query_map(params![tenant, subject, now], |row| Ok(Found::read(row)?.row.session))?
            .collect()
        })
        .await
    }

    async fn end(
        &self,
        end: End<'_>,
        why: Ended,
        now: UnixTime,
        until: UnixTime,
        note: &Note,
    ) -> Result<u64, Error> {
        must_fit([&*note.0])?;
        let (tenant, subject, which) = match end {
            End::One { tenant, subject, key } => (tenant, subject, Some(Of::One(key))),
            End::Others { tenant, subject, keep } => (tenant, subject, Some(Of::AllBut(keep))),
            End::All { tenant, subject } => (tenant, subject, None),
            End::Everything => {
                let note = note.clone();
                let everything = move |sql: &Connection| {
                    session::end_everything(sql, &Ending { why, now, until, note: &note })
                };
                return self.write(everything).await;
            }
        };
        must_fit([tenant, subject])?;
        let (tenant, subject, note) = (tenant.to_owned(), subject.to_owned(), note.clone());
        self.write(move |sql| {
            let ending = Ending { why, now, until, note: &note };
            match which {
                Some(which) => session::end_some(sql, &tenant, &subject, which, &ending),
                None => session::end_all(sql, &tenant, &subject, &ending),
            }
        })
        .await
    }
}
