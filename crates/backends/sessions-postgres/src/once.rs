//! One-time tokens and counters.

use async_trait::async_trait;
use bartizan_core::UnixTime;
use bartizan_sessions::{Digest, Error, Happening, NewOnce, Note, OnceStore, Taken, to_millis};

use crate::{
    PostgresSessionStore,
    column::{Columns, must_fit},
    database::SYNCED,
};

#[async_trait]
impl OnceStore for PostgresSessionStore {
    async fn put_once(&self, new: &NewOnce<'_>) -> Result<(), Error> {
        must_fit([new.purpose, new.tenant, new.subject, new.data, &new.note.0])?;
        let statement = format!(
            "WITH put AS (
                 INSERT INTO {{schema}}.once (digest, purpose, tenant, subject, data, expires, subject_epoch, global_epoch)
                 SELECT $1, $2, $3, $4, $5, $6,
                     coalesce((SELECT e.epoch FROM {{schema}}.ends e WHERE e.tenant = $3 AND e.subject = $4), 0), g.epoch
                 FROM {{schema}}.end_of_all g
                 ON CONFLICT (tenant, subject, purpose) DO UPDATE SET digest = excluded.digest, data = excluded.data,
                     expires = excluded.expires, subject_epoch = excluded.subject_epoch, global_epoch = excluded.global_epoch
                 RETURNING 1),
             told AS (
                 INSERT INTO {{schema}}.outbox (at, happening, tenant, subject, about, note)
                 SELECT $7, $8, $3, $4, $2, $9 FROM put)
             SELECT {SYNCED} FROM put"
        );
        self.database
            .answered(|| async {
                let query = self
                    .database
                    .query(&statement)
                    .bind(&new.digest.as_bytes()[..])
                    .bind(new.purpose)
                    .bind(new.tenant)
                    .bind(new.subject)
                    .bind(new.data)
                    .bind(to_millis(new.expires))
                    .bind(to_millis(new.now))
                    .bind(Happening::OnceMade.as_str())
                    .bind(&*new.note.0);
                self.database.one(query).await.map(drop)
            })
            .await
    }

    async fn take_once(
        &self,
        digest: &Digest,
        purpose: &str,
        now: UnixTime,
        note: &Note,
    ) -> Result<Option<Taken>, Error> {
        must_fit([purpose, &note.0])?;
        let statement = format!(
            "WITH taken AS (
                 DELETE FROM {{schema}}.once o WHERE o.digest = $1 AND o.purpose = $2 AND $3 < o.expires
                     AND o.subject_epoch =
                         coalesce((SELECT e.epoch FROM {{schema}}.ends e WHERE e.tenant = o.tenant AND e.subject = o.subject), 0)
                     AND o.global_epoch = (SELECT g.epoch FROM {{schema}}.end_of_all g)
                 RETURNING o.tenant, o.subject, o.data),
             told AS (
                 INSERT INTO {{schema}}.outbox (at, happening, tenant, subject, about, note)
                 SELECT $3, $4, tenant, subject, $2, $5 FROM taken)
             SELECT tenant, subject, data, {SYNCED} FROM taken"
        );
        self.database
            .answered(|| async {
                let query = self
                    .database
                    .query(&statement)
                    .bind(&digest.as_bytes()[..])
                    .bind(purpose)
                    .bind(to_millis(now))
                    .bind(Happening::OnceUsed.as_str())
                    .bind(&*note.0);
                let Some(row) = self.database.one(query).await? else { return Ok(None) };
                let (tenant, subject, data) = (row.text(0)?.into(), row.text(1)?.into(), row.text(2)?.into());
                Ok(Some(Taken { tenant, subject, data }))
            })
            .await
    }

    async fn advance(&self, tenant: &str, subject: &str, counter: &str, to: u64) -> Result<bool, Error> {
        must_fit([tenant, subject, counter])?;
        // Where a counter stands before its first step.
        if to == 0 {
            return Ok(false);
        }
        let statement = format!(
            "INSERT INTO {{schema}}.counters AS c (tenant, subject, counter, value) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant, subject, counter) DO UPDATE SET value = excluded.value WHERE excluded.value > c.value
             RETURNING {SYNCED}"
        );
        self.database
            .answered(|| async {
                let query = self.database.query(&statement).bind(tenant).bind(subject).bind(counter);
                Ok(self.database.one(query.bind(to.to_be_bytes().to_vec())).await?.is_some())
            })
            .await
    }
}
