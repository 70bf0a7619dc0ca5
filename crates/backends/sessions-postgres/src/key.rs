//! API keys.

use async_trait::async_trait;
use bartizan_core::UnixTime;
use bartizan_sessions::{
    ApiKeyStore, Digest, Error, ErrorKind, Happening, KeyId, KeyReplacement, Note, StoredKey, to_millis,
};
use sqlx::{
    Postgres,
    postgres::{PgArguments, PgRow},
    query::Query,
};

use crate::{
    PostgresSessionStore,
    column::{Columns, damaged, must_fit},
    database::SYNCED,
    error::Failure,
    ledger::Happened,
};

#[async_trait]
impl ApiKeyStore for PostgresSessionStore {
    async fn add_key(&self, key: &StoredKey, most: u32, note: &Note) -> Result<(), Error> {
        let scopes = key.scopes_to_text()?;
        must_fit([&*key.tenant, &key.subject, &key.name, &scopes, &note.0])?;
        self.database.answered(|| self.add(key, &scopes, most, note)).await
    }

    async fn find_key(&self, selector: &Digest) -> Result<Option<StoredKey>, Error> {
        let statement = format!("SELECT {COLUMNS} FROM {{schema}}.api_keys WHERE selector = $1");
        self.database
            .answered(|| async {
                let query = self.database.query(&statement).bind(&selector.as_bytes()[..]);
                self.database.one(query).await?.as_ref().map(read).transpose()
            })
            .await
    }

    async fn keys(&self, tenant: &str, subject: &str) -> Result<Vec<StoredKey>, Error> {
        must_fit([tenant, subject])?;
        let statement = format!(
            "SELECT {COLUMNS} FROM {{schema}}.api_keys WHERE tenant = $1 AND subject = $2 ORDER BY made, id"
        );
        self.database
            .answered(|| async {
                let query = self.database.query(&statement).bind(tenant).bind(subject);
                self.database.all(query).await?.iter().map(read).collect()
            })
            .await
    }

    async fn replace_key(
        &self,
        replacement: &KeyReplacement,
        now: UnixTime,
        note: &Note,
    ) -> Result<bool, Error> {
        let new = &replacement.new;
        let scopes = new.scopes_to_text()?;
        must_fit([&*new.tenant, &new.subject, &new.name, &scopes, &note.0])?;
        self.database.answered(|| self.replace(replacement, &scopes, now, note)).await
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
        let statement = format!(
            "WITH gone AS (
                 UPDATE {{schema}}.api_keys SET ended = $4
                 WHERE id = $1 AND tenant = $2 AND subject = $3 AND ended IS NULL AND $4 < expires RETURNING name),
             told AS (
                 INSERT INTO {{schema}}.outbox (at, happening, tenant, subject, about, note)
                 SELECT $4, $5, $2, $3, name, $6 FROM gone)
             SELECT {SYNCED} FROM gone"
        );
        self.database
            .answered(|| async {
                let query = self
                    .database
                    .query(&statement)
                    .bind(&id.as_bytes()[..])
                    .bind(tenant)
                    .bind(subject)
                    .bind(to_millis(now))
                    .bind(Happening::KeyEnded.as_str())
                    .bind(&*note.0);
                Ok(self.database.one(query).await?.is_some())
            })
            .await
    }

    async fn key_used(&self, id: KeyId, at: UnixTime) -> Result<(), Error> {
        self.database
            .answered(|| async {
                let query = self.database.query(
                    "UPDATE {schema}.api_keys SET used = $2 WHERE id = $1 AND (used IS NULL OR used < $2)",
                );
                self.database.execute(query.bind(&id.as_bytes()[..]).bind(to_millis(at))).await.map(drop)
            })
            .await
    }
}

impl PostgresSessionStore {
    async fn add(&self, key: &StoredKey, scopes: &str, most: u32, note: &Note) -> Result<(), Failure> {
        let mut work = self.database.begin().await?;
        // Keys of one owner one after the other, so that each sees those before it.
        let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1 || chr(30) || $2, hashtext($3)))";
        let lock = work.query(lock).bind(&*key.tenant).bind(&*key.subject);
        work.execute(lock.bind(self.database.schema().to_owned())).await?;
        let count = work
            .query(
                "SELECT count(*) FROM {schema}.api_keys
                 WHERE tenant = $1 AND subject = $2 AND ended IS NULL AND $3 < expires",
            )
            .bind(&*key.tenant)
            .bind(&*key.subject)
            .bind(to_millis(key.made));
        let living = work.one(count).await?.ok_or_else(damaged)?.number(0)?;
        // Before it is counted: a name that is there already is damage, whatever else is the matter.
        work.execute(bound(work.query(&insert_statement()), key, scopes)).await?;
        if living >= u64::from(most) {
            work.undo().await?;
            return Err(ErrorKind::TooMany.into());
        }
        told(key, Happening::KeyMade, key.made, note).record(&mut work).await?;
        work.commit().await
    }

    async fn replace(
        &self,
        replacement: &KeyReplacement,
        scopes: &str,
        now: UnixTime,
        note: &Note,
    ) -> Result<bool, Failure> {
        let KeyReplacement { old, old_until, new } = replacement;
        let mut work = self.database.begin().await?;
        let shorten = work
            .query(
                "UPDATE {schema}.api_keys SET expires = least(expires, $5)
                 WHERE id = $1 AND tenant = $2 AND subject = $3 AND ended IS NULL AND $4 < expires",
            )
            .bind(&old.as_bytes()[..])
            .bind(&*new.tenant)
            .bind(&*new.subject)
            .bind(to_millis(now))
            .bind(to_millis(*old_until));
        let shortened = work.execute(shorten).await?;
        work.execute(bound(work.query(&insert_statement()), new, scopes)).await?;
        if shortened == 0 {
            work.undo().await?;
            return Ok(false);
        }
        told(new, Happening::KeyReplaced, now, note).record(&mut work).await?;
        work.commit().await?;
        Ok(true)
    }
}

fn told<'a>(key: &'a StoredKey, what: Happening, at: UnixTime, note: &'a Note) -> Happened<'a> {
    let (tenant, subject) = (&*key.tenant, &*key.subject);
    Happened { at, what, tenant, subject, session: None, about: &key.name, note }
}

const COLUMNS: &str = "id, selector, secret, tenant, subject, name, scopes, made, expires, used, ended";

fn insert_statement() -> String {
    format!(
        "INSERT INTO {{schema}}.api_keys ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
    )
}

fn bound<'q>(
    query: Query<'q, Postgres, PgArguments>,
    key: &'q StoredKey,
    scopes: &'q str,
) -> Query<'q, Postgres, PgArguments> {
    query
        .bind(&key.id.as_bytes()[..])
        .bind(&key.selector.as_bytes()[..])
        .bind(&key.secret.as_bytes()[..])
        .bind(&*key.tenant)
        .bind(&*key.subject)
        .bind(&*key.name)
        .bind(scopes)
        .bind(to_millis(key.made))
        .bind(to_millis(key.expires))
        .bind(key.used.map(to_millis))
        .bind(key.ended.map(to_millis))
}

fn read(row: &PgRow) -> Result<StoredKey, Failure> {
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
        used: row.maybe(9, Columns::time)?,
        ended: row.maybe(10, Columns::time)?,
    })
}
