//! The store.

use std::sync::Arc;

use async_trait::async_trait;
use bartizan_crypto::Lifecycle;
use bartizan_envelope::{Change, Error, KeyId, KeyRow, KeyStore, Scope, is_well_formed_step};
use bartizan_sqlite_writer::{self as sqlite, Database, Migration};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    error::translated,
    row::{COLUMNS, Stored, written},
};

/// Scope keys in one table of a SQLite database, which other tables may share.
#[derive(Debug)]
pub struct SqliteKeyStore {
    database: Arc<Database>,
}

impl SqliteKeyStore {
    /// A store in this database, whose table is made or brought up to date.
    ///
    /// # Errors
    /// [`Schema`](sqlite::ErrorKind::Schema) when the table was made by another version of this crate, and as
    /// [`Database::write`].
    pub async fn open(database: Arc<Database>) -> Result<Self, sqlite::Error> {
        database.migrate("scope-keys", MIGRATIONS).await?;
        Ok(Self { database })
    }

    async fn read_one(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<Option<Stored>> + Send + 'static,
    ) -> Result<Option<KeyRow>, Error> {
        self.database.read(work).await.map_err(translated)?.map(Stored::checked).transpose()
    }

    /// A broken constraint is a broken rule of the store.
    async fn change(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<Change> + Send + 'static,
    ) -> Result<Change, Error> {
        match self.database.write(work).await {
            Ok(change) => Ok(change),
            Err(error) if error.kind() == sqlite::ErrorKind::Constraint => Ok(Change::Conflict),
            Err(error) => Err(translated(error)),
        }
    }
}

#[async_trait]
impl KeyStore for SqliteKeyStore {
    async fn get(&self, tenant: &str, purpose: &str, id: KeyId) -> Result<Option<KeyRow>, Error> {
        let (tenant, purpose) = (tenant.to_owned(), purpose.to_owned());
        self.read_one(move |sql| {
            sql.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM scope_keys WHERE id = ?1 AND tenant = ?2 AND purpose = ?3"
            ))?
            .query_row(params![id.as_bytes(), tenant, purpose], Stored::read)
            .optional()
        })
        .await
    }

    async fn active(&self, scope: &Scope<'_>) -> Result<Option<KeyRow>, Error> {
        let (tenant, purpose) = (scope.tenant().to_owned(), scope.purpose().to_owned());
        let subject = scope.subject().unwrap_or_default().to_owned();
        self.read_one(move |sql| {
            sql.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM scope_keys
                 WHERE tenant = ?1 AND purpose = ?2 AND subject = ?3 AND state = 'active'"
            ))?
            .query_row(params![tenant, purpose, subject], Stored::read)
            .optional()
        })
        .await
    }

    async fn insert_if_absent(&self, row: &KeyRow) -> Result<Change, Error> {
        let row = row.clone();
        self.change(move |sql| {
            let (state, state_at) = written(row.state);
            sql.prepare_cached(&format!(
                "INSERT INTO scope_keys ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
            ))?
            .execute(params![
                row.id.as_bytes(),
                row.tenant,
                row.subject.as_deref().unwrap_or_default(),
                row.purpose,
                row.version,
                state,
                state_at,
                row.wrapped,
                row.created.as_nanos(),
            ])?;
            Ok(Change::Made)
        })
        .await
    }

    async fn update(&self, rows: &[(KeyRow, KeyRow)]) -> Result<Change, Error> {
        if !is_well_formed_step(rows) {
            return Ok(Change::Conflict);
        }
        let rows = rows.to_vec();
        self.change(move |sql| {
            for (old, _) in &rows {
                if !is_as_expected(sql, old)? {
                    return Ok(Change::Conflict);
                }
            }
            // What becomes active comes last, when the key that retires has made room.
            let (active, others): (Vec<_>, Vec<_>) =
                rows.iter().map(|(_, new)| new).partition(|new| new.state == Lifecycle::Active);
            for new in others.into_iter().chain(active) {
                write_over(sql, new)?;
            }
            Ok(Change::Made)
        })
        .await
    }

    async fn list(
        &self,
        tenant: Option<&str>,
        after: Option<KeyId>,
        limit: usize,
    ) -> Result<Vec<KeyRow>, Error> {
        let tenant = tenant.map(str::to_owned);
        // The empty blob stands before every id.
        let after = after.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let read = move |sql: &Connection| {
            sql.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM scope_keys
                 WHERE (?1 IS NULL OR tenant = ?1) AND id > ?2 ORDER BY id LIMIT ?3"
            ))?
            .query_map(params![tenant, after, limit], Stored::read)?
            .collect::<rusqlite::Result<Vec<Stored>>>()
        };
        let rows = self.database.read(read).await.map_err(translated)?;
        rows.into_iter().map(Stored::checked).collect()
    }
}

/// Whether the row is there exactly so. Writes run one after the other, so it stays so until the end of the step.
fn is_as_expected(sql: &Connection, row: &KeyRow) -> rusqlite::Result<bool> {
    let (state, state_at) = written(row.state);
    sql.prepare_cached(
        "SELECT count(*) FROM scope_keys WHERE id = ?1 AND tenant = ?2 AND subject = ?3 AND purpose = ?4
         AND version = ?5 AND state = ?6 AND state_at IS ?7 AND wrapped = ?8 AND created = ?9",
    )?
    .query_row(
        params![
            row.id.as_bytes(),
            row.tenant,
            row.subject.as_deref().unwrap_or_default(),
            row.purpose,
            row.version,
            state,
            state_at,
            row.wrapped,
            row.created.as_nanos(),
        ],
        |found| found.get::<_, i64>(0),
    )
    .map(|count| count == 1)
}

fn write_over(sql: &Connection, row: &KeyRow) -> rusqlite::Result<()> {
    let (state, state_at) = written(row.state);
    sql.prepare_cached(
        "UPDATE scope_keys SET state = ?2, state_at = ?3, wrapped = ?4, created = ?5 WHERE id = ?1",
    )?
    .execute(params![row.id.as_bytes(), state, state_at, row.wrapped, row.created.as_nanos()])?;
    Ok(())
}

const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "scope keys", sql: include_str!("schema.sql") }];
