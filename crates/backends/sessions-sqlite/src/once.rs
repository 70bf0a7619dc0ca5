//! One-time tokens and counters.

use async_trait::async_trait;
use bartizan_core::UnixTime;
use bartizan_sessions::{Digest, Epochs, Error, Happening, NewOnce, Note, OnceStore, Taken, to_millis};
use rusqlite::{Connection, params};

use crate::{
    SqliteSessionStore,
    column::{Columns, OneOf, must_fit},
    ledger::{Happened, epochs, record},
};

#[async_trait]
impl OnceStore for SqliteSessionStore {
    async fn put_once(&self, new: &NewOnce<'_>) -> Result<(), Error> {
        must_fit([new.purpose, new.tenant, new.subject, new.data, &new.note.0])?;
        let (digest, expires, now) = (new.digest, to_millis(new.expires), new.now);
        let (tenant, subject) = (new.tenant.to_owned(), new.subject.to_owned());
        let (purpose, data, note) = (new.purpose.to_owned(), new.data.to_owned(), new.note.clone());
        self.write(move |sql| {
            sql.prepare_cached("DELETE FROM bartizan_once WHERE tenant = ?1 AND subject = ?2 AND purpose = ?3")?
                .execute([&tenant, &subject, &purpose])?;
            let epochs = epochs(sql, &tenant, &subject)?;
            sql.prepare_cached(
                "INSERT INTO bartizan_once (digest, purpose, tenant, subject, data, expires, subject_epoch, global_epoch)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                digest.as_bytes(),
                purpose,
                tenant,
                subject,
                data,
                expires,
                epochs.subject,
                epochs.global
            ])?;
            told(sql, Happening::OnceMade, (&tenant, &subject), &purpose, now, &note)
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
        let (digest, purpose, note) = (*digest.as_bytes(), purpose.to_owned(), note.clone());
        self.write(move |sql| {
            let found = sql
                .prepare_cached(
                    "SELECT tenant, subject, data, subject_epoch, global_epoch FROM bartizan_once
                     WHERE digest = ?1 AND purpose = ?2 AND ?3 < expires",
                )?
                .one(params![digest, purpose, to_millis(now)], |row| {
                    let taken = Taken {
                        tenant: row.text(0)?.into(),
                        subject: row.text(1)?.into(),
                        data: row.text(2)?.into(),
                    };
                    Ok((taken, Epochs { subject: row.epoch(3)?, global: row.epoch(4)? }))
                })?;
            let Some((taken, made_in)) = found else { return Ok(None) };
            if made_in != epochs(sql, &taken.tenant, &taken.subject)? {
                return Ok(None);
            }
            sql.prepare_cached("DELETE FROM bartizan_once WHERE digest = ?1")?.execute([digest])?;
            told(sql, Happening::OnceUsed, (&taken.tenant, &taken.subject), &purpose, now, &note)?;
            Ok(Some(taken))
        })
        .await
    }

    async fn advance(&self, tenant: &str, subject: &str, counter: &str, to: u64) -> Result<bool, Error> {
        must_fit([tenant, subject, counter])?;
        if to == 0 {
            return Ok(false);
        }
        let (tenant, subject, counter) = (tenant.to_owned(), subject.to_owned(), counter.to_owned());
        self.write(move |sql| {
            sql.prepare_cached(
                "INSERT INTO bartizan_counters (tenant, subject, counter, value) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (tenant, subject, counter) DO UPDATE SET value = excluded.value WHERE excluded.value > value",
            )?
            .execute(params![tenant, subject, counter, to.to_be_bytes()])
            .map(|moved| moved > 0)
        })
        .await
    }
}

fn told(
    sql: &Connection,
    what: Happening,
    (tenant, subject): (&str, &str),
    about: &str,
    at: UnixTime,
    note: &Note,
) -> rusqlite::Result<()> {
    record(sql, &Happened { at, what, tenant, subject, session: None, about, note })
}
