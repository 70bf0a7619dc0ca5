//! What is deleted when it no longer matters.

use std::time::Duration;

use async_trait::async_trait;
use bartizan_core::UnixTime;
use bartizan_sessions::{Error, Store, to_millis};
use rusqlite::{Connection, params};

use crate::{SqliteSessionStore, row::day_of};

/// The most rows that one call deletes of each kind: some milliseconds in which nothing else is written.
const MOST: i64 = 1_000;

#[async_trait]
impl Store for SqliteSessionStore {
    async fn purge(&self, now: UnixTime, keep: Duration) -> Result<u64, Error> {
        let (old, now) = (to_millis(now.saturating_sub(keep)), to_millis(now));
        self.write(move |sql| {
            let of_closed_windows = "UPDATE bartizan_sessions SET previous = NULL, nonce = NULL WHERE number IN
                 (SELECT number FROM bartizan_sessions WHERE nonce IS NOT NULL AND grace_until < ?1 LIMIT ?2)";
            sql.prepare_cached(of_closed_windows)?.execute([now, MOST])?;
            let mut deleted = sql
                .prepare_cached(
                    "DELETE FROM bartizan_sessions WHERE number IN
                     (SELECT number FROM bartizan_sessions
                      WHERE stale_day <= ?2 AND min(idle_expires, expires) < ?1 LIMIT ?3)",
                )?
                .execute(params![old, day_of(old), MOST])?;
            for (table, column, before) in [
                ("bartizan_sessions", "ended_at", old),
                ("bartizan_api_keys", "expires", old),
                ("bartizan_api_keys", "ended", old),
                ("bartizan_once", "expires", old),
                ("bartizan_session_revocations", "until", now),
            ] {
                deleted += delete_older(sql, table, column, before)?;
            }
            Ok(deleted as u64)
        })
        .await
    }

    async fn health(&self) -> Result<(), Error> {
        // On the writing thread, and with a lock: a database that can be read only is no healthy one.
        self.write(|sql| sql.prepare_cached("SELECT 1")?.exists([]).map(drop)).await
    }
}

fn delete_older(sql: &Connection, table: &str, column: &str, before: i64) -> rusqlite::Result<usize> {
    sql.prepare_cached(&format!(
        "DELETE FROM {table} WHERE rowid IN
         (SELECT rowid FROM {table} WHERE {column} IS NOT NULL AND {column} < ?1 ORDER BY {column} LIMIT ?2)"
    ))?
    .execute([before, MOST])
}
