//! Tables, brought up to date step by step.

use sqlx::{Row, postgres::PgRow};

use crate::{
    Error, ErrorKind,
    database::{Database, Transaction},
    error::Failure,
};

/// One step of the tables. Once released it never changes: the applied text is kept and compared.
struct Migration {
    /// Its number: 1, 2, 3, …
    version: i64,
    /// What it does, in a few words.
    name: &'static str,
    /// The statements, with `{schema}` for the schema's name.
    statements: &'static str,
}

const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "policy", statements: include_str!("sql/0001_policy.sql") }];

/// Applies what is missing, in one transaction; of several programs that start at once, one does it and the others wait.
pub(crate) async fn apply(database: &Database) -> Result<(), Error> {
    let mut work = database.begin().await?;
    // A number of this crate's own in the first half, so that a user's locks are others.
    let lock = work
        .query("SELECT pg_advisory_xact_lock(1886350457, hashtext($1))")
        .bind(database.schema().to_owned());
    work.execute(lock).await?;
    if !has_schema(&mut work, database.schema()).await? {
        work.batch("CREATE SCHEMA {schema}").await?;
    }
    if !has_table(&mut work, database.schema()).await? {
        work.batch(
            "CREATE TABLE {schema}.policy_migrations (
                 version bigint PRIMARY KEY, name text NOT NULL, statements text NOT NULL)",
        )
        .await?;
    }
    let applied = applied(&mut work).await?;
    check(&applied)?;
    for migration in MIGRATIONS.iter().skip(applied.len()) {
        work.batch(migration.statements).await?;
        let insert = work
            .query("INSERT INTO {schema}.policy_migrations (version, name, statements) VALUES ($1, $2, $3)")
            .bind(migration.version)
            .bind(migration.name)
            .bind(migration.statements);
        work.execute(insert).await?;
    }
    work.commit().await?;
    Ok(())
}

/// Whether everything was applied, and nothing else.
pub(crate) async fn must_be_applied(database: &Database) -> Result<(), Error> {
    let mut work = database.begin().await?;
    if !has_table(&mut work, database.schema()).await? {
        return Err(ErrorKind::Schema.into());
    }
    let applied = applied(&mut work).await?;
    work.undo().await?;
    check(&applied)?;
    if applied.len() == MIGRATIONS.len() { Ok(()) } else { Err(ErrorKind::Schema.into()) }
}

async fn has_schema(work: &mut Transaction<'_>, schema: &str) -> Result<bool, Failure> {
    let query =
        work.query("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1").bind(schema.to_owned());
    Ok(work.one(query).await?.is_some())
}

async fn has_table(work: &mut Transaction<'_>, schema: &str) -> Result<bool, Failure> {
    let query = work
        .query("SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'policy_migrations'")
        .bind(schema.to_owned());
    Ok(work.one(query).await?.is_some())
}

async fn applied(work: &mut Transaction<'_>) -> Result<Vec<PgRow>, Failure> {
    let query = work.query("SELECT version, statements FROM {schema}.policy_migrations ORDER BY version");
    work.all(query).await
}

/// What was applied is what is given here, in this order, without a gap.
fn check(applied: &[PgRow]) -> Result<(), Error> {
    let mut steps = MIGRATIONS.iter();
    for row in applied {
        let version: i64 = row.try_get(0).map_err(Failure::from)?;
        let statements: &str = row.try_get(1).map_err(Failure::from)?;
        if !steps.next().is_some_and(|step| step.version == version && step.statements == statements) {
            return Err(ErrorKind::Schema.into());
        }
    }
    Ok(())
}
