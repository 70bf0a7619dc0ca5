//! Revocations, and the outbox.

use async_trait::async_trait;
use bartizan_core::UnixTime;
use bartizan_sessions::{
    Asked, Entry, Epochs, Error, Feed, Happening, Note, Outbox, Position, Revocation, RevocationStore, Scope,
    SessionId, SessionKey,
};
use rusqlite::{Connection, Row, params};

use crate::{
    SqliteSessionStore,
    column::{Columns, OneOf, must_fit},
    error::damaged,
    ledger::{Happened, epochs, record, revoke},
    row::Found,
    session::by_key,
};

#[async_trait]
impl RevocationStore for SqliteSessionStore {
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
        let (jti, note) = (Box::<str>::from(jti), note.clone());
        let (tenant, subject) = (tenant.to_owned(), subject.to_owned());
        self.write(move |sql| {
            if is_token_revoked(sql, &jti)? {
                return Ok(());
            }
            revoke(sql, &Revocation { scope: Scope::Token(jti.clone()), at: now, until })?;
            let happened = Happened {
                at: now,
                what: Happening::TokenRevoked,
                tenant: &tenant,
                subject: &subject,
                session: None,
                about: &jti,
                note: &note,
            };
            record(sql, &happened)
        })
        .await
    }

    async fn is_revoked(&self, asked: &Asked<'_>) -> Result<bool, Error> {
        let (jti, session, second) = (asked.jti.map(str::to_owned), asked.session, asked.issued_at.as_secs());
        let (tenant, subject) = (asked.tenant.to_owned(), asked.subject.to_owned());
        self.read(move |sql| {
            if let Some(jti) = jti
                && is_token_revoked(sql, &jti)?
            {
                return Ok(true);
            }
            match session {
                Some(id) => Ok(!is_alive(sql, id)?),
                None => ended_since(sql, &tenant, &subject, second),
            }
        })
        .await
    }

    async fn revocations(&self, after: Position, limit: usize) -> Result<Feed, Error> {
        // No position is beyond i64: nothing comes after.
        let from = i64::try_from(after.0).unwrap_or(i64::MAX);
        let one_more = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
        let (mut rows, end) = self
            .read(move |sql| {
                let rows = sql
                    .prepare_cached(
                        "SELECT position, scope, jti, session, tenant, subject, epoch, at, until
                     FROM bartizan_session_revocations WHERE position > ?1 ORDER BY position LIMIT ?2",
                    )?
                    .query_map([from, one_more], revocation)?
                    .collect::<rusqlite::Result<Vec<_>>>()?;
                if !rows.is_empty() {
                    return Ok((rows, after));
                }
                // The file may be an older copy of itself.
                let last = sql
                    .prepare_cached(
                        "SELECT seq FROM sqlite_sequence WHERE name = 'bartizan_session_revocations'",
                    )?
                    .one([], |row| row.number(0))?;
                Ok((rows, after.min(Position(last.unwrap_or_default()))))
            })
            .await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().map_or(end, |(position, _)| *position);
        Ok(Feed { revocations: rows.into_iter().map(|(_, revocation)| revocation).collect(), next, more })
    }

    async fn epochs(&self, tenant: &str, subject: &str) -> Result<Epochs, Error> {
        let (tenant, subject) = (tenant.to_owned(), subject.to_owned());
        self.read(move |sql| epochs(sql, &tenant, &subject)).await
    }
}

fn is_token_revoked(sql: &Connection, jti: &str) -> rusqlite::Result<bool> {
    sql.prepare_cached("SELECT 1 FROM bartizan_session_revocations WHERE jti = ?1")?.exists([jti])
}

fn is_alive(sql: &Connection, id: SessionId) -> rusqlite::Result<bool> {
    Ok(by_key(sql, id.key)?.is_some_and(|found: Found| found.row.session.id == id && found.lives()))
}

/// Whether everything of this subject or of everybody was ended in this second or after it.
fn ended_since(sql: &Connection, tenant: &str, subject: &str, second: i64) -> rusqlite::Result<bool> {
    let last = sql
        .prepare_cached(
            "SELECT max(coalesce((SELECT at FROM bartizan_session_ends WHERE tenant = ?1 AND subject = ?2), e.at),
                        coalesce(e.at, (SELECT at FROM bartizan_session_ends WHERE tenant = ?1 AND subject = ?2)))
             FROM bartizan_session_end_of_all e",
        )?
        .one([tenant, subject], |row| row.maybe(0, Row::time))?
        .ok_or_else(damaged)?;
    Ok(last.is_some_and(|at| second <= at.as_secs()))
}

fn revocation(row: &Row<'_>) -> rusqlite::Result<(Position, Revocation)> {
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
impl Outbox for SqliteSessionStore {
    async fn pending(&self, limit: usize) -> Result<Vec<Entry>, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(move |sql| {
            sql.prepare_cached(
                "SELECT number, at, happening, tenant, subject, session, about, note
                 FROM bartizan_session_outbox ORDER BY number LIMIT ?1",
            )?
            .query_map([limit], entry)?
            .collect()
        })
        .await
    }

    async fn delivered(&self, numbers: &[u64]) -> Result<(), Error> {
        let numbers: Vec<i64> = numbers.iter().filter_map(|number| i64::try_from(*number).ok()).collect();
        self.write(move |sql| {
            let mut delete = sql.prepare_cached("DELETE FROM bartizan_session_outbox WHERE number = ?1")?;
            numbers.iter().try_for_each(|number| delete.execute(params![number]).map(drop))
        })
        .await
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let session = row.maybe(5, Row::text)?.map(SessionId::parse).transpose();
    Ok(Entry {
        number: row.number(0)?,
        at: row.time(1)?,
        happening: Happening::parse(row.text(2)?).map_err(|_| damaged())?,
        tenant: row.text(3)?.into(),
        subject: row.text(4)?.into(),
        session: session.map_err(|_| damaged())?,
        about: row.text(6)?.into(),
        note: Note(row.text(7)?.into()),
    })
}
