//! What is deleted when it no longer matters.

use std::time::Duration;

use async_trait::async_trait;
use bartizan_core::UnixTime;
use bartizan_sessions::{Error, ErrorKind, Store, to_millis};

use crate::{
    PostgresSessionStore,
    column::{Columns, damaged},
    row::day_of,
};

/// The most rows that one statement deletes.
const MOST: i64 = 1_000;

#[async_trait]
impl Store for PostgresSessionStore {
    async fn purge(&self, now: UnixTime, keep: Duration) -> Result<u64, Error> {
        let (old, now) = (to_millis(now.saturating_sub(keep)), to_millis(now));
        // Rows that somebody is writing are left for the next time, so that nobody waits for a purge.
        let of_closed_windows = "UPDATE {schema}.sessions SET previous = NULL, nonce = NULL WHERE number IN
             (SELECT number FROM {schema}.sessions WHERE nonce IS NOT NULL AND grace_until < $1
              LIMIT $2 FOR UPDATE SKIP LOCKED)";
        self.database
            .answered(|| async {
                self.database.execute(self.database.query(of_closed_windows).bind(now).bind(MOST)).await
            })
            .await?;
        let sessions = "DELETE FROM {schema}.sessions WHERE number IN
             (SELECT number FROM {schema}.sessions WHERE stale_day <= $2 AND least(idle_expires, expires) < $1
              LIMIT $3 FOR UPDATE SKIP LOCKED)";
        let mut deleted = self
            .database
            .answered(|| async {
                let query = self.database.query(sessions).bind(old).bind(day_of(old)).bind(MOST);
                self.database.execute(query).await
            })
            .await?;
        for (table, name, column, before) in [
            ("sessions", "number", "ended_at", old),
            ("api_keys", "id", "expires", old),
            ("api_keys", "id", "ended", old),
            ("once", "digest", "expires", old),
            ("revocations", "position", "until", now),
        ] {
            let statement = format!(
                "DELETE FROM {{schema}}.{table} WHERE {name} IN
                 (SELECT {name} FROM {{schema}}.{table} WHERE {column} IS NOT NULL AND {column} < $1
                  ORDER BY {column} LIMIT $2 FOR UPDATE SKIP LOCKED)"
            );
            deleted += self
                .database
                .answered(|| async {
                    self.database.execute(self.database.query(&statement).bind(before).bind(MOST)).await
                })
                .await?;
        }
        Ok(deleted)
    }

    async fn health(&self) -> Result<(), Error> {
        let is_writable = self
            .database
            .answered(|| async {
                // A standby answers, and cannot keep anything.
                let query = self.database.query("SELECT NOT pg_is_in_recovery()");
                self.database.one(query).await?.ok_or_else(damaged)?.boolean(0)
            })
            .await?;
        if is_writable { Ok(()) } else { Err(ErrorKind::Unavailable.into()) }
    }
}
