//! API keys.

use async_trait::async_trait;
use bartizan_core::UnixTime;
use bartizan_sessions::{
    ApiKeyStore, Digest, Error, ErrorKind, Happening, KeyId, KeyReplacement, Note, StoredKey, to_millis,
};
use rusqlite::{Connection, Row, params};

use crate::{
    SqliteSessionStore,
    column::{Columns, OneOf, must_fit},
    error::damaged,
    ledger::{Happened, record},
};

#[async_trait]
impl ApiKeyStore for SqliteSessionStore {
    async fn add_key(&self, key: &StoredKey, most: u32, note: &Note) -> Result<(), Error> {
        let scopes = key.scopes_to_text()?;
        must_fit([&*key.tenant, &key.subject, &key.name, &scopes, &note.0])?;
        let (key, note) = (key.clone(), note.clone());
        let has_room = self
            .write(move |sql| {
                // A name that is there already is damage, whatever else is the matter.
                insert(sql, &key, &scopes)?;
                let (tenant, subject) = (&*key.tenant, &*key.subject);
                let living = sql
                    .prepare_cached(
                        "SELECT count(*) FROM bartizan_api_keys
                         WHERE tenant = ?1 AND subject = ?2 AND id <> ?3 AND ended IS NULL AND ?4 < expires",
                    )?
                    .one(params![tenant, subject, key.id.as_bytes(), to_millis(key.made)], |row| {
                        row.integer(0)
                    })?
                    .ok_or_else(damaged)?;
                if living >= i64::from(most) {
                    sql.prepare_cached("DELETE FROM bartizan_api_keys WHERE id = ?1")?
                        .execute([key.id.as_bytes()])?;
                    return Ok(false);
                }
                told(sql, &key, Happening::KeyMade, key.made, &note)?;
                Ok(true)
            })
            .await?;
        has_room.then_some(()).ok_or_else(|| ErrorKind::TooMany.into())
    }

    async fn find_key(&self, selector: &Digest) -> Result<Option<StoredKey>, Error> {
        let selector = *selector.as_bytes();
        self.read(move |sql| {
            sql.prepare_cached(&format!("SELECT {COLUMNS} FROM bartizan_api_keys WHERE selector = ?1"))?
                .one([selector], read)
        })
        .await
    }

    async fn keys(&self, tenant: &str, subject: &str) -> Result<Vec<StoredKey>, Error> {
        let (tenant, subject) = (tenant.to_owned(), subject.to_owned());
        self.read(move |sql| {
            sql.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM bartizan_api_keys WHERE tenant = ?1 AND subject = ?2 ORDER BY made, id"
            ))?
            .query_map([tenant, subject], read)?
            .collect()
        })
        .await
    }

    async fn replace_key(
        &self,
        replacement: &KeyReplacement,
        now: UnixTime,
        note: &Note,
    ) -> Result<bool, Error> {
        let KeyReplacement { old, old_until, new } = replacement.clone();
        let scopes = new.scopes_to_text()?;
        must_fit([&*new.tenant, &new.subject, &new.name, &scopes, &note.0])?;
        let note = note.clone();
        self.write(move |sql| {
            insert(sql, &new, &scopes)?;
            let shortened = sql
                .prepare_cached(
                    "UPDATE bartizan_api_keys SET expires = min(expires, ?5)
                     WHERE id = ?1 AND tenant = ?2 AND subject = ?3 AND ended IS NULL AND ?4 < expires AND id <> ?6",
                )?
                .execute(params![
                    old.as_bytes(),
                    new.tenant,
                    new.subject,
                    to_millis(now),
                    to_millis(old_until),
                    new.id.as_bytes(),
                ])?;
            if shortened == 0 {
                sql.prepare_cached("DELETE FROM bartizan_api_keys WHERE id = ?1")?
                    .execute([new.id.as_bytes()])?;
                return Ok(false);
            }
            told(sql, &new, Happening::KeyReplaced, now, &note)?;
            Ok(true)
        })
        .await
    }

    async fn end_key(
        &self,
        tenant: &str,
        subject: &str,
        id: KeyId,
        now: UnixTime,
        note: &Note,
    ) -> Result<bool, Error> {
        must_fit([tenant, subject, &note.0])?;
        let (tenant, subject, note) = (tenant.to_owned(), subject.to_owned(), note.clone());
        self.write(move |sql| {
            let key = sql
                .prepare_cached(&format!(
                    "UPDATE bartizan_api_keys SET ended = ?4
                     WHERE id = ?1 AND tenant = ?2 AND subject = ?3 AND ended IS NULL AND ?4 < expires
                     RETURNING {COLUMNS}"
                ))?
                .one(params![id.as_bytes(), tenant, subject, to_millis(now)], read)?;
            let Some(key) = key else { return Ok(false) };
            told(sql, &key, Happening::KeyEnded, now, &note)?;
            Ok(true)
        })
        .await
    }

    async fn key_used(&self, id: KeyId, at: UnixTime) -> Result<(), Error> {
        self.write(move |sql| {
            sql.prepare_cached(
                "UPDATE bartizan_api_keys SET used = ?2 WHERE id = ?1 AND (used IS NULL OR used < ?2)",
            )?
            .execute(params![id.as_bytes(), to_millis(at)])
            .map(drop)
        })
        .await
    }
}

fn insert(sql: &Connection, key: &StoredKey, scopes: &str) -> rusqlite::Result<()> {
    sql.prepare_cached(&format!(
        "INSERT INTO bartizan_api_keys ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    ))?
    .execute(params![
        key.id.as_bytes(),
        key.selector.as_bytes(),
        key.secret.as_bytes(),
        key.tenant,
        key.subject,
        key.name,
        scopes,
        to_millis(key.made),
        to_millis(key.expires),
        key.used.map(to_millis),
        key.ended.map(to_millis),
    ])?;
    Ok(())
}

fn told(
    sql: &Connection,
    key: &StoredKey,
    what: Happening,
    at: UnixTime,
    note: &Note,
) -> rusqlite::Result<()> {
    let (tenant, subject) = (&*key.tenant, &*key.subject);
    record(sql, &Happened { at, what, tenant, subject, session: None, about: &key.name, note })
}

const COLUMNS: &str = "id, selector, secret, tenant, subject, name, scopes, made, expires, used, ended";

fn read(row: &Row<'_>) -> rusqlite::Result<StoredKey> {
    Ok(StoredKey {
        id: KeyId::from_bytes(row.bytes(0)?),
        selector: row.digest(1)?,
        secret: row.digest(2)?,
        tenant: row.text(3)?.into(),
        subject: row.text(4)?.into(),
        name: row.text(5)?.into(),
        scopes: StoredKey::scopes_from_text(row.text(6)?).map_err(|_| damaged())?,
        made: row.time(7)?,
        expires: row.time(8)?,
        used: row.maybe(9, Row::time)?,
        ended: row.maybe(10, Row::time)?,
    })
}
