//! Who holds which role, in the database: what the policy engine follows, and what the administration writes to.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bartizan::{
    core::{Clock, Fault, Revision, UnixTime},
    rbac::{
        Assignment, AssignmentStore, Change, Changes, Holder, Loaded, PolicyFile, PolicySource, PolicyText,
        SourceError, SourceErrorKind, validate_commit,
    },
};
use bartizan_sqlite_writer::{Database, Error, Migration};
use rusqlite::{Connection, Row, params};

/// What nurses give themselves when nobody else is there.
pub(crate) const EMERGENCY: &str = "emergency";

/// The policy that the clinic brings with it.
const POLICY: &str = include_str!("../policy.toml");

/// How often the database is asked whether somebody else wrote to it.
const EVERY: Duration = Duration::from_secs(1);

/// The first assignments are those that accounts had before there were any: one role each.
const TABLES: &[Migration] = &[Migration {
    version: 1,
    name: "assignments",
    sql: "CREATE TABLE assignments (
              tenant TEXT NOT NULL, user TEXT NOT NULL, role TEXT NOT NULL, not_before INTEGER, expires INTEGER,
              granted_by TEXT, reason TEXT, PRIMARY KEY (tenant, user, role)) STRICT;
          CREATE TABLE assignments_revision (revision INTEGER NOT NULL) STRICT;
          INSERT INTO assignments_revision VALUES (1);
          INSERT INTO assignments (tenant, user, role) SELECT tenant, user, role FROM accounts WHERE verified = 1",
}];

/// The assignments, beside the policy that gives them a meaning.
#[derive(Debug)]
pub(crate) struct Roles {
    database: Arc<Database>,
    policy: Text,
    /// The revision of the policy's file that was loaded last.
    loaded: Mutex<Option<Revision>>,
    clock: Arc<dyn Clock>,
}

#[derive(Debug)]
enum Text {
    OfTheClinic,
    InFile(PolicyFile),
}

impl Roles {
    /// Opens the table, which comes after that of the accounts. A policy of one's own is read from `file`, whenever it changes.
    pub(crate) async fn open(
        database: Arc<Database>,
        file: Option<PathBuf>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SourceError> {
        database.migrate("assignments", TABLES).await.map_err(not_stored)?;
        let policy = match file {
            None => Text::OfTheClinic,
            Some(file) => Text::InFile(PolicyFile::at(file, Arc::clone(&clock))?),
        };
        Ok(Self { database, policy, loaded: Mutex::new(None), clock })
    }

    /// Gives somebody a role, within somebody else's write. What follows the table hears of it.
    pub(crate) fn add(sql: &Connection, tenant: &str, user: &str, role: &str) -> rusqlite::Result<Revision> {
        put(sql, &Assignment::new(tenant, user, role))?;
        next_revision(sql)
    }

    /// The policy's text, at its revision. Without a file it is always the same.
    async fn text(&self) -> Result<(PolicyText, Revision), SourceError> {
        match &self.policy {
            Text::OfTheClinic => Ok((PolicyText::Toml(POLICY.to_owned()), Revision(0))),
            Text::InFile(file) => file.load().await.map(|loaded| (loaded.policy, loaded.revision)),
        }
    }

    /// Whether another policy stands in the file than was loaded. Answers after a while.
    async fn has_other_text(&self) -> Result<bool, SourceError> {
        let loaded = *self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        match (&self.policy, loaded) {
            (Text::InFile(file), Some(seen)) => Ok(matches!(file.changes(seen).await?, Changes::Everything)),
            _ => {
                self.clock.sleep(EVERY).await;
                Ok(false)
            }
        }
    }
}

#[async_trait]
impl PolicySource for Roles {
    async fn load(&self) -> Result<Loaded, SourceError> {
        let (policy, text) = self.text().await?;
        let is_new = *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) != Some(text);
        let read = self.database.write(move |sql| {
            // Another policy is another state: records name the one that decided.
            let revision = if is_new { next_revision(sql)? } else { revision(sql)? };
            let held = sql
                .prepare(
                    "SELECT tenant, user, role, not_before, expires, granted_by, reason FROM assignments
                     ORDER BY tenant, user",
                )?
                .query_map([], assignment)?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            Ok((held, revision))
        });
        let (held, revision) = read.await.map_err(not_stored)?;
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        Ok(Loaded::new(policy, held, revision))
    }

    async fn changes(&self, seen: Revision) -> Result<Changes, SourceError> {
        if self.revision().await? != seen || self.has_other_text().await? || self.revision().await? != seen {
            return Ok(Changes::Everything);
        }
        Ok(Changes::Nothing)
    }
}

#[async_trait]
impl AssignmentStore for Roles {
    async fn revision(&self) -> Result<Revision, SourceError> {
        self.database.read(revision).await.map_err(not_stored)
    }

    async fn commit(&self, expected: Revision, changes: &[Change]) -> Result<Revision, SourceError> {
        validate_commit(changes)?;
        // There are no groups in this clinic.
        if changes.iter().any(is_of_groups) {
            return Err(SourceErrorKind::Unstorable.into());
        }
        let changes = changes.to_vec();
        let write = self.database.write(move |sql| {
            if revision(sql)? != expected {
                return Ok(None);
            }
            changes.iter().try_for_each(|change| make(sql, change))?;
            next_revision(sql).map(Some)
        });
        write.await.map_err(not_stored)?.ok_or_else(|| SourceErrorKind::Conflict.into())
    }
}

fn is_of_groups(change: &Change) -> bool {
    match change {
        Change::Assign(assignment) => matches!(assignment.holder(), Holder::Group(_)),
        Change::Revoke { holder, .. } => matches!(holder, Holder::Group(_)),
        Change::Remove { .. } => false,
        _ => true,
    }
}

fn make(sql: &Connection, change: &Change) -> rusqlite::Result<()> {
    match change {
        Change::Assign(assignment) => put(sql, assignment),
        Change::Revoke { tenant, holder, role } => sql
            .execute(
                "DELETE FROM assignments WHERE tenant = ?1 AND user = ?2 AND role = ?3",
                params![tenant, holder.name(), role],
            )
            .map(drop),
        Change::Remove { tenant, subject } => sql
            .execute("DELETE FROM assignments WHERE tenant = ?1 AND user = ?2", params![tenant, subject])
            .map(drop),
        _ => Ok(()),
    }
}

fn put(sql: &Connection, assignment: &Assignment) -> rusqlite::Result<()> {
    let nanos = |at: Option<UnixTime>| at.map(UnixTime::as_nanos);
    sql.execute(
        "INSERT OR REPLACE INTO assignments (tenant, user, role, not_before, expires, granted_by, reason)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            assignment.tenant(),
            assignment.holder().name(),
            assignment.role(),
            nanos(assignment.starts()),
            nanos(assignment.ends()),
            assignment.granter(),
            assignment.reason()
        ],
    )
    .map(drop)
}

fn assignment(row: &Row<'_>) -> rusqlite::Result<Assignment> {
    let text = |column: usize| row.get::<_, String>(column);
    let mut one = Assignment::new(text(0)?, text(1)?, text(2)?);
    if let Some(at) = row.get(3)? {
        one = one.not_before(UnixTime::from_nanos(at));
    }
    if let Some(at) = row.get(4)? {
        one = one.expires(UnixTime::from_nanos(at));
    }
    if let Some(by) = row.get::<_, Option<String>>(5)? {
        one = one.granted_by(by);
    }
    if let Some(reason) = row.get::<_, Option<String>>(6)? {
        one = one.because(reason);
    }
    Ok(one)
}

fn revision(sql: &Connection) -> rusqlite::Result<Revision> {
    sql.query_row("SELECT revision FROM assignments_revision", [], number)
}

fn next_revision(sql: &Connection) -> rusqlite::Result<Revision> {
    sql.query_row("UPDATE assignments_revision SET revision = revision + 1 RETURNING revision", [], number)
}

fn number(row: &Row<'_>) -> rusqlite::Result<Revision> {
    // SQLite counts in i64, and this count begins at 1.
    row.get::<_, i64>(0).map(|number| Revision(number.unsigned_abs()))
}

fn not_stored(error: Error) -> SourceError {
    let kind = match error.fault() {
        Fault::Busy => SourceErrorKind::Busy,
        Fault::Integrity => SourceErrorKind::Integrity,
        _ => SourceErrorKind::Unavailable,
    };
    SourceError::because(kind, error)
}
