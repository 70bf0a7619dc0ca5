//! The store, and opening it.

use std::fmt;

use async_trait::async_trait;
use bartizan_core::Revision;
use bartizan_rbac::{
    AssignmentStore, Change, Changes, Loaded, PolicySource, PolicyStore, PolicyText, SourceError,
    SourceErrorKind, validate_commit,
};
use sqlx::PgPool;

use crate::{
    Config, Error, ErrorKind,
    column::{Columns, damaged},
    config::{Durability, Hearing},
    database::Database,
    ear::Ear,
    feed, load,
    marks::Marks,
    migrate, write,
};

/// A policy file, assignments and members of groups in one schema of a Postgres database, and the log of what changed.
#[derive(Clone)]
pub struct PostgresPolicyStore {
    database: Database,
    marks: Marks,
    ear: Ear,
}

impl PostgresPolicyStore {
    /// Makes the schema and its tables, or brings them up to date: before the first [`PostgresPolicyStore::open`] of each version.
    /// Several programs may do so at once.
    ///
    /// The role needs to own the schema, or to be allowed to create it. The role that `open` is used with need not.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] when the tables were made by another version of this crate, [`ErrorKind::Refused`],
    /// [`ErrorKind::Unavailable`].
    pub async fn migrate(pool: &PgPool, config: &Config) -> Result<(), Error> {
        migrate::apply(&Database::new(pool.clone(), config)).await
    }

    /// A store in this pool.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] when [`PostgresPolicyStore::migrate`] was not called, or the tables are of another version;
    /// [`ErrorKind::Durability`] for a server that may lose what it has answered; [`ErrorKind::Refused`],
    /// [`ErrorKind::Unavailable`].
    pub async fn open(pool: PgPool, config: &Config) -> Result<Self, Error> {
        let database = Database::new(pool, config);
        let checked = async {
            if config.durability() == Durability::Synced {
                must_sync(&database).await?;
            }
            migrate::must_be_applied(&database).await
        };
        tokio::time::timeout(config.bound(), checked)
            .await
            .unwrap_or_else(|_| Err(ErrorKind::Unavailable.into()))?;
        let channel = match config.hearing() {
            Hearing::Listens => Some(write::channel(config.schema())),
            Hearing::Asks => None,
        };
        let ear = Ear::new(channel, config.poll(), config.bound());
        Ok(Self { database, marks: Marks::default(), ear })
    }

    /// Forgets what changed, but for the last `keep` commits, at least one; at most 1,000 commits a call, and answers how many.
    /// Whoever was away for longer has to load everything. Some times a day, on any node, until it answers 0.
    ///
    /// # Errors
    /// [`SourceError`] says whether trying again may help.
    pub async fn trim(&self, keep: u64) -> Result<u64, SourceError> {
        self.database.answered(|| write::trim(&self.database, keep)).await
    }
}

/// SECURITY: a role that was taken away must not be held again after a power failure. `synchronous_commit` is set in every write.
async fn must_sync(database: &Database) -> Result<(), Error> {
    let settings = "SELECT current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'";
    let row = database.one(database.query(settings)).await?.ok_or_else(damaged)?;
    if row.boolean(0)? { Ok(()) } else { Err(ErrorKind::Durability.into()) }
}

#[async_trait]
impl PolicySource for PostgresPolicyStore {
    async fn load(&self) -> Result<Loaded, SourceError> {
        let loading = load::everything(&self.database, &self.marks);
        tokio::time::timeout(self.database.load_bound(), loading)
            .await
            .unwrap_or_else(|_| Err(SourceErrorKind::Unavailable.into()))
            .map_err(SourceError::from)
    }

    async fn changes(&self, seen: Revision) -> Result<Changes, SourceError> {
        let since = || self.database.answered(|| feed::since(&self.database, &self.marks, seen));
        // Before asking: what is committed in between is heard.
        let mut hearing = self.ear.open(self.database.pool()).await;
        let changes = since().await?;
        if !matches!(changes, Changes::Nothing) {
            return Ok(changes);
        }
        let was_called = hearing.wait().await;
        let changes = since().await?;
        if !was_called && !matches!(changes, Changes::Nothing) {
            hearing.is_deaf();
        }
        Ok(changes)
    }
}

#[async_trait]
impl AssignmentStore for PostgresPolicyStore {
    async fn revision(&self) -> Result<Revision, SourceError> {
        self.database.answered(|| feed::revision(&self.database)).await
    }

    async fn commit(&self, expected: Revision, changes: &[Change]) -> Result<Revision, SourceError> {
        validate_commit(changes)?;
        self.database.answered(|| write::commit(&self.database, &self.marks, expected, changes)).await
    }
}

#[async_trait]
impl PolicyStore for PostgresPolicyStore {
    async fn publish(&self, expected: Revision, policy: &PolicyText) -> Result<Revision, SourceError> {
        policy.validate()?;
        self.database.answered(|| write::publish(&self.database, &self.marks, expected, policy)).await
    }
}

impl fmt::Debug for PostgresPolicyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresPolicyStore").field("schema", &self.database.schema()).finish_non_exhaustive()
    }
}
