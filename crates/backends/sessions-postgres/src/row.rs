//! A session's row, read and written.

use bartizan_sessions::{
    Digest, Ended, Epochs, Facts, Kind, Session, SessionId, SessionKey, StoredSession, to_millis,
};
use sqlx::{
    Postgres,
    postgres::{PgArguments, PgRow},
    query::Query,
};

use crate::{
    column::{Columns, damaged},
    error::Failure,
};

/// The columns of a session, in the order of [`stored`].
pub(crate) const STORED: &str = "s.number, s.key, s.selector, s.current, s.previous, s.nonce, s.grace_until, s.binding, s.kind,
     s.tenant, s.subject, s.subject_epoch, s.global_epoch, s.begun, s.seen, s.idle_expires, s.expires, s.generation, s.facts,
     s.ended_at, s.ended_why";

/// Neither ended nor of an earlier epoch, in SQL.
pub(crate) const LIVES: &str = "s.ended_at IS NULL
     AND s.subject_epoch =
         coalesce((SELECT e.epoch FROM {schema}.ends e WHERE e.tenant = s.tenant AND e.subject = s.subject), 0)
     AND s.global_epoch = (SELECT g.epoch FROM {schema}.end_of_all g)";

/// A row as it is stored, and the table's own number of it.
pub(crate) fn stored(row: &PgRow) -> Result<(i64, StoredSession), Failure> {
    let key = SessionKey::from_bytes(row.bytes(1)?);
    let epochs = Epochs { subject: row.epoch(11)?, global: row.epoch(12)? };
    let ended = match (row.maybe(19, Columns::time)?, row.maybe(20, Columns::text)?) {
        (None, None) => None,
        (Some(at), Some(why)) => Some((at, Ended::parse(why).map_err(|_| damaged())?)),
        _ => return Err(damaged()),
    };
    let stored = StoredSession {
        session: Session {
            id: SessionId { key, epochs },
            kind: Kind::parse(row.text(8)?).map_err(|_| damaged())?,
            tenant: row.text(9)?.into(),
            subject: row.text(10)?.into(),
            begun: row.time(13)?,
            seen: row.time(14)?,
            idle_expires: row.time(15)?,
            expires: row.time(16)?,
            generation: row.number(17)?,
            facts: Facts::from_text(row.text(18)?).map_err(|_| damaged())?,
        },
        selector: row.digest(2)?,
        current: row.digest(3)?,
        previous: row.maybe(4, Columns::digest)?,
        nonce: row.maybe(5, Columns::bytes)?,
        grace_until: row.time(6)?,
        binding: row.maybe(7, Columns::digest)?,
        ended,
    };
    Ok((row.integer(0)?, stored))
}

/// The columns that [`bound`] gives values for, from `$1` to `$18`; the epochs are not among them.
pub(crate) const BOUND: &str =
    "key, selector, current, previous, nonce, grace_until, binding, kind, tenant, subject, begun, seen,
     idle_expires, expires, generation, facts, ended_at, ended_why";

/// Gives a statement a session's values, from `$1` to `$18`.
pub(crate) fn bound<'q>(
    query: Query<'q, Postgres, PgArguments>,
    row: &'q StoredSession,
    facts: &'q str,
) -> Result<Query<'q, Postgres, PgArguments>, Failure> {
    let session = &row.session;
    Ok(query
        .bind(&session.id.key.as_bytes()[..])
        .bind(&row.selector.as_bytes()[..])
        .bind(&row.current.as_bytes()[..])
        .bind(digest(row.previous.as_ref()))
        .bind(row.nonce.as_ref().map(|nonce| &nonce[..]))
        .bind(to_millis(row.grace_until))
        .bind(digest(row.binding.as_ref()))
        .bind(session.kind.as_str())
        .bind(&*session.tenant)
        .bind(&*session.subject)
        .bind(to_millis(session.begun))
        .bind(to_millis(session.seen))
        .bind(to_millis(session.idle_expires))
        .bind(to_millis(session.expires))
        .bind(i64::try_from(session.generation).map_err(|_| damaged())?)
        .bind(facts)
        .bind(row.ended.map(|(at, _)| to_millis(at)))
        .bind(row.ended.map(|(_, why)| why.as_str())))
}

/// A digest that may be absent, as a parameter.
pub(crate) fn digest(digest: Option<&Digest>) -> Option<&[u8]> {
    digest.map(|digest| &digest.as_bytes()[..])
}

pub(crate) fn stale_day(session: &Session) -> i64 {
    day_of(to_millis(session.idle_expires.min(session.expires)))
}

/// The day of a time in milliseconds.
pub(crate) const fn day_of(millis: i64) -> i64 {
    millis.div_euclid(86_400_000)
}
