//! Revocations, and the outbox.

use async_trait::async_trait;
use bartizan_core::UnixTime;
use bartizan_sessions::{
    Asked, Entry, Epochs, Error, Feed, Happening, Note, Outbox, Position, Revocation, RevocationStore, Scope,
    SessionId, SessionKey,
};
use sqlx::postgres::PgRow;

use crate::{
    PostgresSessionStore,
    column::{Columns, damaged, must_fit},
    error::Failure,
    ledger::{Happened, epochs},
    row::LIVES,
};

#[async_trait]
impl RevocationStore for PostgresSessionStore {
    async fn revoke_token(
        &self,
        jti: &str,
        tenant: &str,
        subject: &str,
        now: UnixTime,
        until: UnixTime,
        note: &Note,
    ) -> Result<(), Error> {
        must_fit([jti, tenant, subject, &note.0])?;
        let what = Happening::TokenRevoked;
        let happened = Happened { at: now, what, tenant, subject, session: None, about: jti, note };
        self.database.answered(|| self.revoke_once(jti, &happened, until)).await
    }

    async fn is_revoked(&self, asked: &Asked<'_>) -> Result<bool, Error> {
        // What the store cannot hold, it does not hold.
        let jti = asked.jti.filter(|jti| must_fit([*jti]).is_ok());
        must_fit([asked.tenant, asked.subject])?;
        let statement = format!(
            "SELECT EXISTS (SELECT 1 FROM {{schema}}.revocations WHERE jti = $1)
                 OR CASE WHEN $2::bytea IS NOT NULL THEN NOT EXISTS (
                     SELECT 1 FROM {{schema}}.sessions s
                     WHERE s.key = $2 AND s.subject_epoch = $3 AND s.global_epoch = $4 AND {LIVES})
                 ELSE coalesce($7 <= (SELECT at FROM {{schema}}.ends WHERE tenant = $5 AND subject = $6), false)
                     OR coalesce($7 <= (SELECT at FROM {{schema}}.end_of_all), false) END"
        );
        let session = asked.session;
        self.database
            .answered(|| async {
                let query = self
                    .database
                    .query(&statement)
                    .bind(jti)
                    .bind(session.map(|id| id.key.as_bytes().to_vec()))
                    .bind(session.map(|id| i64::from(id.epochs.subject)))
                    .bind(session.map(|id| i64::from(id.epochs.global)))
                    .bind(asked.tenant)
                    .bind(asked.subject)
                    // The first millisecond of its second.
                    .bind(asked.issued_at.as_secs().saturating_mul(1_000));
                self.database.one(query).await?.ok_or_else(damaged)?.boolean(0)
            })
            .await
    }

    async fn revocations(&self, after: Position, limit: usize) -> Result<Feed, Error> {
        // No position is beyond i64: nothing comes after.
        let from = i64::try_from(after.0).unwrap_or(i64::MAX);
        let one_more = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
        let (mut rows, end) = self
            .database
            .answered(|| async {
                let query = self.database.query(
                    "SELECT position, scope, jti, session, tenant, subject, epoch, at, until
                     FROM {schema}.revocations WHERE position > $1 ORDER BY position LIMIT $2",
                );
                let rows = self.database.all(query.bind(from).bind(one_more)).await?;
                let rows = rows.iter().map(revocation).collect::<Result<Vec<_>, _>>()?;
                if !rows.is_empty() {
                    return Ok((rows, after));
                }
                // Another server may have taken over that had not heard of the last positions.
                let last = self.database.query("SELECT last FROM {schema}.feed");
                let last = self.database.one(last).await?.ok_or_else(damaged)?.number(0)?;
                Ok((rows, after.min(Position(last))))
            })
            .await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().map_or(end, |(position, _)| *position);
        Ok(Feed { revocations: rows.into_iter().map(|(_, revocation)| revocation).collect(), next, more })
    }

    async fn epochs(&self, tenant: &str, subject: &str) -> Result<Epochs, Error> {
        must_fit([tenant, subject])?;
        self.database.answered(|| epochs(&self.database, tenant, subject)).await
    }
}

impl PostgresSessionStore {
    async fn revoke_once(&self, jti: &str, happened: &Happened<'_>, until: UnixTime) -> Result<(), Failure> {
        let mut work = self.database.begin().await?;
        let query = work.query("SELECT 1 FROM {schema}.revocations WHERE jti = $1").bind(jti);
        if work.one(query).await?.is_some() {
            return work.undo().await;
        }
        let revocation = Revocation { scope: Scope::Token(jti.into()), at: happened.at, until };
        match happened.record_and_revoke(&mut work, &revocation).await {
            Ok(()) => work.commit().await,
            // Somebody else has revoked it meanwhile, and has committed.
            Err(failure) if failure.is_duplicate() => work.undo().await,
            Err(failure) => Err(failure),
        }
    }
}

fn revocation(row: &PgRow) -> Result<(Position, Revocation), Failure> {
    let scope = match row.text(1)? {
        "token" => Scope::Token(row.text(2)?.into()),
        "session" => Scope::Session(SessionKey::from_bytes(row.bytes(3)?)),
        "subject" => {
            Scope::Subject { tenant: row.text(4)?.into(), subject: row.text(5)?.into(), epoch: row.epoch(6)? }
        }
        "everything" => Scope::Everything { epoch: row.epoch(6)? },
        _ => return Err(damaged()),
    };
    Ok((Position(row.number(0)?), Revocation { scope, at: row.time(7)?, until: row.time(8)? }))
}

#[async_trait]
impl Outbox for PostgresSessionStore {
    async fn pending(&self, limit: usize) -> Result<Vec<Entry>, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.database
            .answered(|| async {
                let query = self.database.query(
                    "SELECT number, at, happening, tenant, subject, session, subject_epoch, global_epoch, about, note
                     FROM {schema}.outbox ORDER BY number LIMIT $1",
                );
                self.database.all(query.bind(limit)).await?.iter().map(entry).collect()
            })
            .await
    }

    async fn delivered(&self, numbers: &[u64]) -> Result<(), Error> {
        let numbers: Vec<i64> = numbers.iter().filter_map(|number| i64::try_from(*number).ok()).collect();
        self.database
            .answered(|| async {
                let query = self.database.query("DELETE FROM {schema}.outbox WHERE number = ANY($1)");
                self.database.execute(query.bind(&numbers)).await.map(drop)
            })
            .await
    }
}

fn entry(row: &PgRow) -> Result<Entry, Failure> {
    let session = row.maybe(5, Columns::bytes)?.map(|key| {
        let epochs = Epochs { subject: row.epoch(6)?, global: row.epoch(7)? };
        Ok::<_, Failure>(SessionId { key: SessionKey::from_bytes(key), epochs })
    });
    Ok(Entry {
        number: row.number(0)?,
        at: row.time(1)?,
        happening: Happening::parse(row.text(2)?).map_err(|_| damaged())?,
        tenant: row.text(3)?.into(),
        subject: row.text(4)?.into(),
        session: session.transpose()?,
        about: row.text(8)?.into(),
        note: Note(row.text(9)?.into()),
    })
}
