//! Tables, brought up to date step by step.

use rusqlite::{Connection, OptionalExtension, params};

/// One step of a set of tables. Once released it never changes: the applied text is kept and compared.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its number: 1, 2, 3, …
    pub version: u32,
    /// What it does, in a few words.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

/// Applies what is missing. Says no, and leaves everything as it was, when what was applied is not what is given here.
pub(crate) fn apply(sql: &Connection, set: &str, migrations: &[Migration]) -> rusqlite::Result<bool> {
    sql.execute_batch(
        "CREATE TABLE IF NOT EXISTS bartizan_migrations (
             tables TEXT NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL, statements TEXT NOT NULL,
             PRIMARY KEY (tables, version)) STRICT",
    )?;
    let applied: i64 =
        sql.query_row("SELECT count(*) FROM bartizan_migrations WHERE tables = ?1", [set], |row| row.get(0))?;
    let numbered = (1..).zip(migrations).all(|(number, migration)| migration.version == number);
    if !numbered || usize::try_from(applied).map_or(true, |applied| applied > migrations.len()) {
        return Ok(false);
    }
    for migration in migrations {
        let statements: Option<String> = sql
            .query_row(
                "SELECT statements FROM bartizan_migrations WHERE tables = ?1 AND version = ?2",
                params![set, migration.version],
                |row| row.get(0),
            )
            .optional()?;
        match statements {
            Some(statements) if statements == migration.sql => {}
            Some(_) => return Ok(false),
            None => {
                sql.execute_batch(migration.sql)?;
                sql.execute(
                    "INSERT INTO bartizan_migrations (tables, version, name, statements) VALUES (?1, ?2, ?3, ?4)",
                    params![set, migration.version, migration.name, migration.sql],
                )?;
            }
        }
    }
    Ok(true)
}
