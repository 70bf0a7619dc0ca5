//! What is written beside every change, in its transaction: the entry in the outbox, and the revocation in the feed.

use bartizan_core::UnixTime;
use bartizan_sessions::{Epochs, Happening, Note, Revocation, Scope, SessionId, to_millis};
use sqlx::{Postgres, postgres::PgArguments, query::Query};

use crate::{
    column::{Columns, damaged},
    database::{Database, Transaction},
    error::Failure,
};

/// What happened, when, and to whom.
pub(crate) struct Happened<'a> {
    pub(crate) at: UnixTime,
    pub(crate) what: Happening,
    pub(crate) tenant: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) session: Option<SessionId>,
    pub(crate) about: &'a str,
    pub(crate) note: &'a Note,
}

/// The outbox's columns, in the order of [`Happened::bound`].
const ENTRY: &str = "at, happening, tenant, subject, session, subject_epoch, global_epoch, about, note";

impl Happened<'_> {
    /// Puts the entry in the outbox.
    pub(crate) async fn record(&self, work: &mut Transaction<'_>) -> Result<(), Failure> {
        let insert = work.query(&format!(
            "INSERT INTO {{schema}}.outbox ({ENTRY}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        ));
        work.execute(self.bound(insert)).await?;
        Ok(())
    }

    /// Puts the entry in the outbox and a revocation in the feed.
    ///
    /// INVARIANT(feed-last): the feed's row is the last that a transaction locks. Two of them never wait for each other by it.
    pub(crate) async fn record_and_revoke(
        &self,
        work: &mut Transaction<'_>,
        revocation: &Revocation,
    ) -> Result<(), Failure> {
        let Revocation { scope, at, until } = revocation;
        let (word, jti, session, owner, epoch) = match scope {
            Scope::Token(jti) => ("token", Some(&**jti), None, None, None),
            Scope::Session(key) => ("session", None, Some(&key.as_bytes()[..]), None, None),
            Scope::Subject { tenant, subject, epoch } => {
                ("subject", None, None, Some((&**tenant, &**subject)), Some(i64::from(*epoch)))
            }
            Scope::Everything { epoch } => ("everything", None, None, None, Some(i64::from(*epoch))),
            // A scope of a later version of the seam, which the table has no columns for.
            _ => return Err(damaged()),
        };
        let statement = work.query(&format!(
            "WITH drawn AS (UPDATE {{schema}}.feed SET last = last + 1 RETURNING last),
             told AS (INSERT INTO {{schema}}.outbox ({ENTRY}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))
             INSERT INTO {{schema}}.revocations (position, scope, jti, session, tenant, subject, epoch, at, until)
             SELECT drawn.last, $10, $11, $12, $13, $14, $15, $16, $17 FROM drawn"
        ));
        let statement = self
            .bound(statement)
            .bind(word)
            .bind(jti)
            .bind(session)
            .bind(owner.map(|(tenant, _)| tenant))
            .bind(owner.map(|(_, subject)| subject))
            .bind(epoch)
            .bind(to_millis(*at))
            .bind(to_millis(*until));
        match work.execute(statement).await? {
            1 => Ok(()),
            // The feed's one row is gone.
            _ => Err(damaged()),
        }
    }

    fn bound<'q>(&'q self, query: Query<'q, Postgres, PgArguments>) -> Query<'q, Postgres, PgArguments> {
        let epochs = self.session.map(|id| id.epochs);
        query
            .bind(to_millis(self.at))
            .bind(self.what.as_str())
            .bind(self.tenant)
            .bind(self.subject)
            .bind(self.session.map(|id| id.key.as_bytes().to_vec()))
            .bind(epochs.map(|epochs| i64::from(epochs.subject)))
            .bind(epochs.map(|epochs| i64::from(epochs.global)))
            .bind(self.about)
            .bind(&*self.note.0)
    }
}

/// A subject's epochs, in SQL: two columns, of the tenant `$1` and the subject `$2`.
const EPOCHS: &str =
    "SELECT coalesce((SELECT epoch FROM {schema}.ends WHERE tenant = $1 AND subject = $2), 0),
     (SELECT epoch FROM {schema}.end_of_all)";

/// A subject's epochs now.
pub(crate) async fn epochs(database: &Database, tenant: &str, subject: &str) -> Result<Epochs, Failure> {
    let row = database.one(database.query(EPOCHS).bind(tenant).bind(subject)).await?.ok_or_else(damaged)?;
    Ok(Epochs { subject: row.epoch(0)?, global: row.epoch(1)? })
}

/// A subject's epochs now, in a transaction that has waited for its locks.
pub(crate) async fn epochs_in(
    work: &mut Transaction<'_>,
    tenant: &str,
    subject: &str,
) -> Result<Epochs, Failure> {
    let query = work.query(EPOCHS).bind(tenant).bind(subject);
    let row = work.one(query).await?.ok_or_else(damaged)?;
    Ok(Epochs { subject: row.epoch(0)?, global: row.epoch(1)? })
}
