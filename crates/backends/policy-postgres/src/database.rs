//! The user's pool, asked so that every call answers in time and no connection is used again in an unknown state.

use std::{future::Future, sync::Arc, time::Duration};

use bartizan_rbac::{SourceError, SourceErrorKind};
use sqlx::{
    AssertSqlSafe, PgConnection, PgPool, Postgres,
    pool::PoolConnection,
    postgres::{PgArguments, PgRow},
    query::Query,
};

use crate::{Config, error::Failure};

/// How often a call is tried when the server undoes it for another one's sake.
const ATTEMPTS: u32 = 4;

/// Stands in every statement for the schema's name.
const SCHEMA: &str = "{schema}";

/// The pool with what every call needs.
#[derive(Clone)]
pub(crate) struct Database {
    pool: PgPool,
    schema: Box<str>,
    bound: Duration,
    load_bound: Duration,
    begin: Arc<str>,
    begin_reading: Arc<str>,
}

impl Database {
    pub(crate) fn new(pool: PgPool, config: &Config) -> Self {
        let (bound, load_bound) = (config.bound(), config.load_bound());
        // Whatever the role's and the pool's own settings are. Only the client's bound counts for single statements; in here, the
        // server gives up by itself as well, so that it holds no locks for somebody who is gone.
        let begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL statement_timeout = {millis};
             SET LOCAL lock_timeout = {millis}; SELECT {SYNCED}",
            millis = bound.as_millis(),
        );
        let begin_reading = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {}",
            load_bound.as_millis(),
        );
        let schema = config.schema().into();
        Self { pool, schema, bound, load_bound, begin: begin.into(), begin_reading: begin_reading.into() }
    }

    pub(crate) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(crate) const fn load_bound(&self) -> Duration {
        self.load_bound
    }

    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// A statement of this crate, with the schema's name in it.
    pub(crate) fn text(&self, statement: &str) -> AssertSqlSafe<String> {
        // SECURITY: safe, as statements are constants and the name was checked by `Config::in_schema`.
        AssertSqlSafe(statement.replace(SCHEMA, &self.schema))
    }

    pub(crate) fn query<'q>(&self, statement: &str) -> Query<'q, Postgres, PgArguments> {
        sqlx::query(self.text(statement))
    }

    /// Answers within the bound. Tried again where the server undid it for another one's sake: nothing of it was written then.
    pub(crate) async fn answered<T, F, Attempt>(&self, attempt: F) -> Result<T, SourceError>
    where
        F: Fn() -> Attempt + Send,
        Attempt: Future<Output = Result<T, Failure>> + Send,
    {
        let tried = async {
            let mut left = ATTEMPTS;
            loop {
                left -= 1;
                match attempt().await {
                    Err(failure) if left > 0 && failure.was_undone_for_another() => {}
                    outcome => return outcome.map_err(SourceError::from),
                }
            }
        };
        tokio::time::timeout(self.bound, tried)
            .await
            .unwrap_or_else(|_| Err(SourceErrorKind::Unavailable.into()))
    }

    /// One statement, which is a transaction of its own.
    pub(crate) async fn all(&self, query: Query<'_, Postgres, PgArguments>) -> Result<Vec<PgRow>, Failure> {
        let mut held = self.held().await?;
        // SECURITY: to the end of the stream, which is after the commit. The first row comes before it.
        let rows = query.fetch_all(held.connection()).await?;
        held.is_clean = true;
        Ok(rows)
    }

    /// As [`Database::all`], for a statement that answers one row at most.
    pub(crate) async fn one(
        &self,
        query: Query<'_, Postgres, PgArguments>,
    ) -> Result<Option<PgRow>, Failure> {
        Ok(self.all(query).await?.into_iter().next())
    }

    /// Several statements.
    pub(crate) async fn begin(&self) -> Result<Transaction<'_>, Failure> {
        self.begin_as(&self.begin).await
    }

    /// Several statements that read one and the same state.
    pub(crate) async fn begin_reading(&self) -> Result<Transaction<'_>, Failure> {
        self.begin_as(&self.begin_reading).await
    }

    async fn begin_as(&self, begin: &Arc<str>) -> Result<Transaction<'_>, Failure> {
        let mut held = self.held().await?;
        sqlx::raw_sql(AssertSqlSafe(Arc::clone(begin))).execute(held.connection()).await?;
        Ok(Transaction { database: self, held })
    }

    async fn held(&self) -> Result<Held, Failure> {
        Ok(Held { connection: self.pool.acquire().await?, is_clean: false })
    }
}

/// Makes the commit of this transaction wait for the disk, whatever the role's settings are. Stricter settings stay.
pub(crate) const SYNCED: &str = "CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', true) END";

/// A connection that goes back to its pool only if all that was asked over it was answered.
struct Held {
    connection: PoolConnection<Postgres>,
    is_clean: bool,
}

impl Held {
    fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

/// Dropped in the middle: by an error, by the bound, by a caller who does not wait. Closing it ends its transaction as well.
impl Drop for Held {
    fn drop(&mut self) {
        if !self.is_clean {
            self.connection.close_on_drop();
        }
    }
}

/// A transaction: undone unless it is committed.
pub(crate) struct Transaction<'d> {
    database: &'d Database,
    held: Held,
}

impl Transaction<'_> {
    pub(crate) fn schema(&self) -> &str {
        self.database.schema()
    }

    pub(crate) fn query<'q>(&self, statement: &str) -> Query<'q, Postgres, PgArguments> {
        self.database.query(statement)
    }

    pub(crate) async fn all(
        &mut self,
        query: Query<'_, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, Failure> {
        Ok(query.fetch_all(self.held.connection()).await?)
    }

    pub(crate) async fn one(
        &mut self,
        query: Query<'_, Postgres, PgArguments>,
    ) -> Result<Option<PgRow>, Failure> {
        Ok(query.fetch_optional(self.held.connection()).await?)
    }

    pub(crate) async fn execute(&mut self, query: Query<'_, Postgres, PgArguments>) -> Result<u64, Failure> {
        Ok(query.execute(self.held.connection()).await?.rows_affected())
    }

    /// Several statements in one text, without parameters.
    pub(crate) async fn batch(&mut self, statements: &str) -> Result<(), Failure> {
        let text = self.database.text(statements);
        sqlx::raw_sql(text).execute(self.held.connection()).await?;
        Ok(())
    }

    pub(crate) async fn commit(mut self) -> Result<(), Failure> {
        sqlx::raw_sql("COMMIT").execute(self.held.connection()).await?;
        self.held.is_clean = true;
        Ok(())
    }

    pub(crate) async fn undo(mut self) -> Result<(), Failure> {
        sqlx::raw_sql("ROLLBACK").execute(self.held.connection()).await?;
        self.held.is_clean = true;
        Ok(())
    }
}
