//! The store, and its sessions.

use std::fmt;

use async_trait::async_trait;
use bartizan_core::UnixTime;
use bartizan_sessions::{
    Begin, Begun, Digest, End, Ended, Error as SeamError, Facts, Note, Rotate, Rotation, Session, SessionKey,
    SessionStore, StoredSession, to_millis,
};
use sqlx::PgPool;

use crate::{
    Config, Error, ErrorKind,
    column::{Columns, damaged, must_fit},
    config::Durability,
    database::{Database, SYNCED},
    migrate, rotation,
    row::{LIVES, STORED, stored},
    session::{self, Ending, Of},
};

/// Sessions, revocations, their outbox, API keys and one-time tokens in one schema of a Postgres database.
#[derive(Clone)]
pub struct PostgresSessionStore {
    pub(crate) database: Database,
}

impl PostgresSessionStore {
    /// Makes the schema and its tables, or brings them up to date: before the first [`PostgresSessionStore::open`] of each version.
    /// Several programs may do so at once.
    ///
    /// The role needs to own the schema, or to be allowed to create it. The role that `open` is used with need not.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] when the tables were made by another version of this crate, [`ErrorKind::Refused`],
    /// [`ErrorKind::Unavailable`].
    pub async fn migrate(pool: &PgPool, config: &Config) -> Result<(), Error> {
        migrate::apply(&Database::new(pool.clone(), config)).await
    }

    /// A store in this pool.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] when [`PostgresSessionStore::migrate`] was not called, or the tables are of another version;
    /// [`ErrorKind::Durability`] for a server that may lose what it has answered; [`ErrorKind::Refused`],
    /// [`ErrorKind::Unavailable`].
    pub async fn open(pool: PgPool, config: &Config) -> Result<Self, Error> {
        let database = Database::new(pool, config);
        let checked = async {
            if config.durability() == Durability::Synced {
                must_sync(&database).await?;
            }
            migrate::must_be_applied(&database).await
        };
        tokio::time::timeout(config.bound(), checked)
            .await
            .unwrap_or_else(|_| Err(ErrorKind::Unavailable.into()))?;
        Ok(Self { database })
    }
}

/// SECURITY: a session that was ended must not live again after a power failure. `synchronous_commit` is set in every write.
async fn must_sync(database: &Database) -> Result<(), Error> {
    let settings = "SELECT current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'";
    let row = database.one(database.query(settings)).await?.ok_or_else(damaged)?;
    if row.boolean(0)? { Ok(()) } else { Err(ErrorKind::Durability.into()) }
}

impl fmt::Debug for PostgresSessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSessionStore")
            .field("schema", &self.database.schema())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for PostgresSessionStore {
    async fn begin(&self, begin: &Begin) -> Result<Begun, SeamError> {
        let session = &begin.row.session;
        must_fit([&*session.tenant, &session.subject, &begin.note.0])?;
        let facts = session.facts.to_text()?;
        self.database.answered(|| session::begin(&self.database, begin, &facts)).await
    }

    async fn rotate(&self, ask: &Rotate) -> Result<Rotation, SeamError> {
        must_fit([&*ask.note.0])?;
        let facts = ask.facts.as_ref().map(Facts::to_text).transpose()?;
        self.database.answered(|| rotation::rotate(&self.database, ask, facts.as_deref())).await
    }

    async fn find(&self, selector: &Digest) -> Result<Option<StoredSession>, SeamError> {
        let statement =
            format!("SELECT {STORED} FROM {{schema}}.sessions s WHERE s.selector = $1 AND {LIVES}");
        self.database
            .answered(|| async {
                let query = self.database.query(&statement).bind(&selector.as_bytes()[..]);
                self.database.one(query).await?.map(|row| Ok(stored(&row)?.1)).transpose()
            })
            .await
    }

    async fn confirm(&self, key: SessionKey, generation: u64) -> Result<(), SeamError> {
        let Ok(generation) = i64::try_from(generation) else { return Ok(()) };
        let statement = format!(
            "UPDATE {{schema}}.sessions SET previous = NULL, nonce = NULL
             WHERE key = $1 AND generation = $2 AND (previous IS NOT NULL OR nonce IS NOT NULL) RETURNING {SYNCED}"
        );
        self.database
            .answered(|| async {
                let query = self.database.query(&statement).bind(&key.as_bytes()[..]).bind(generation);
                self.database.one(query).await.map(drop)
            })
            .await
    }

    async fn seen(&self, key: SessionKey, now: UnixTime, idle_expires: UnixTime) -> Result<(), SeamError> {
        let statement = format!(
            "UPDATE {{schema}}.sessions s SET seen = greatest(s.seen, $2),
                 idle_expires = least(greatest(s.idle_expires, $3), s.expires),
                 stale_day = least(greatest(s.idle_expires, $3), s.expires) / 86400000
             WHERE s.key = $1 AND {LIVES} AND $2 < s.idle_expires AND $2 < s.expires RETURNING {SYNCED}"
        );
        self.database
            .answered(|| async {
                let query = self.database.query(&statement).bind(&key.as_bytes()[..]);
                self.database.one(query.bind(to_millis(now)).bind(to_millis(idle_expires))).await.map(drop)
            })
            .await
    }

    async fn list(&self, tenant: &str, subject: &str, now: UnixTime) -> Result<Vec<Session>, SeamError> {
        must_fit([tenant, subject])?;
        let statement = format!(
            "SELECT {STORED} FROM {{schema}}.sessions s
             WHERE s.tenant = $1 AND s.subject = $2 AND {LIVES} AND $3 < s.idle_expires AND $3 < s.expires
             ORDER BY s.seen DESC, s.key DESC"
        );
        self.database
            .answered(|| async {
                let query = self.database.query(&statement).bind(tenant).bind(subject).bind(to_millis(now));
                self.database.all(query).await?.iter().map(|row| Ok(stored(row)?.1.session)).collect()
            })
            .await
    }

    async fn end(
        &self,
        end: End<'_>,
        why: Ended,
        now: UnixTime,
        until: UnixTime,
        note: &Note,
    ) -> Result<u64, SeamError> {
        must_fit([&*note.0])?;
        let ending = Ending { why, now, until, note };
        let (owner, which) = match end {
            End::One { tenant, subject, key } => ((tenant, subject), Of::One(key)),
            End::Others { tenant, subject, keep } => ((tenant, subject), Of::AllBut(keep)),
            End::All { tenant, subject } => {
                must_fit([tenant, subject])?;
                return self
                    .database
                    .answered(|| session::end_all(&self.database, tenant, subject, &ending))
                    .await;
            }
            End::Everything => {
                return self.database.answered(|| session::end_everything(&self.database, &ending)).await;
            }
        };
        must_fit([owner.0, owner.1])?;
        self.database.answered(|| session::end_some(&self.database, owner, which, &ending)).await
    }
}
