//! A session's row, read and written.

use bartizan_core::UnixTime;
use bartizan_sessions::{
    Digest, Ended, Epochs, Facts, Kind, Session, SessionId, SessionKey, StoredSession, to_millis,
};
use rusqlite::{Connection, Row, params};

use crate::{column::Columns, error::damaged};

/// The columns of a session, in the order of [`Found::read`], and with them the epochs of its subject now.
pub(crate) const FOUND: &str = "s.number, s.key, s.selector, s.current, s.previous, s.nonce, s.grace_until, s.binding, s.kind,
     s.tenant, s.subject, s.subject_epoch, s.global_epoch, s.begun, s.seen, s.idle_expires, s.expires, s.generation, s.facts,
     s.ended_at, s.ended_why,
     coalesce((SELECT e.epoch FROM bartizan_session_ends e WHERE e.tenant = s.tenant AND e.subject = s.subject), 0),
     (SELECT epoch FROM bartizan_session_end_of_all)";

/// Neither ended nor of an earlier epoch, in SQL.
pub(crate) const LIVES: &str = "s.ended_at IS NULL
     AND s.subject_epoch =
         coalesce((SELECT e.epoch FROM bartizan_session_ends e WHERE e.tenant = s.tenant AND e.subject = s.subject), 0)
     AND s.global_epoch = (SELECT epoch FROM bartizan_session_end_of_all)";

/// A row that was found.
pub(crate) struct Found {
    /// The table's own number of it.
    pub(crate) number: i64,
    /// The row.
    pub(crate) row: StoredSession,
    /// The epochs of its subject now.
    pub(crate) epochs: Epochs,
}

impl Found {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.integer(0)?,
            row: stored(row)?,
            epochs: Epochs { subject: row.epoch(21)?, global: row.epoch(22)? },
        })
    }

    /// Neither ended nor of an earlier epoch. It may have expired.
    pub(crate) fn lives(&self) -> bool {
        self.row.ended.is_none() && self.row.session.id.epochs == self.epochs
    }
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredSession> {
    let key = SessionKey::from_bytes(row.bytes(1)?);
    let epochs = Epochs { subject: row.epoch(11)?, global: row.epoch(12)? };
    let ended = match (row.maybe(19, Row::time)?, row.maybe(20, Row::text)?) {
        (None, None) => None,
        (Some(at), Some(why)) => Some((at, Ended::parse(why).map_err(|_| damaged())?)),
        _ => return Err(damaged()),
    };
    Ok(StoredSession {
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
        previous: row.maybe(4, Row::digest)?,
        nonce: row.maybe(5, Row::bytes)?,
        grace_until: row.time(6)?,
        binding: row.maybe(7, Row::digest)?,
        ended,
    })
}

/// Adds a session.
pub(crate) fn insert(sql: &Connection, row: &StoredSession, facts: &str) -> rusqlite::Result<()> {
    let session = &row.session;
    sql.prepare_cached(
        "INSERT INTO bartizan_sessions (key, selector, current, previous, nonce, grace_until, binding, kind, tenant, subject,
             subject_epoch, global_epoch, begun, seen, idle_expires, expires, generation, facts, ended_at, ended_why, stale_day)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
    )?
    .execute(params![
        session.id.key.as_bytes(),
        row.selector.as_bytes(),
        row.current.as_bytes(),
        row.previous.as_ref().map(Digest::as_bytes),
        row.nonce,
        to_millis(row.grace_until),
        row.binding.as_ref().map(Digest::as_bytes),
        session.kind.as_str(),
        session.tenant,
        session.subject,
        session.id.epochs.subject,
        session.id.epochs.global,
        to_millis(session.begun),
        to_millis(session.seen),
        to_millis(session.idle_expires),
        to_millis(session.expires),
        generation(session)?,
        facts,
        row.ended.map(|(at, _)| to_millis(at)),
        row.ended.map(|(_, why)| why.as_str()),
        stale_day(session),
    ])?;
    Ok(())
}

/// Writes what a rotation has changed.
pub(crate) fn write_rotated(sql: &Connection, old: &Found, new: &StoredSession) -> rusqlite::Result<()> {
    let session = &new.session;
    sql.prepare_cached(
        "UPDATE bartizan_sessions SET current = ?2, previous = ?3, nonce = ?4, grace_until = ?5, seen = ?6, idle_expires = ?7,
             generation = ?8 WHERE number = ?1",
    )?
    .execute(params![
        old.number,
        new.current.as_bytes(),
        new.previous.as_ref().map(Digest::as_bytes),
        new.nonce,
        to_millis(new.grace_until),
        to_millis(session.seen),
        to_millis(session.idle_expires),
        generation(session)?,
    ])?;
    // Statements of their own: SQLite writes the index of every column that is named, changed or not; and most logins stay as
    // they are.
    if new.selector != old.row.selector {
        sql.prepare_cached("UPDATE bartizan_sessions SET selector = ?2 WHERE number = ?1")?
            .execute(params![old.number, new.selector.as_bytes()])?;
    }
    if session.facts != old.row.session.facts {
        let facts = session.facts.to_text().map_err(|_| damaged())?;
        sql.prepare_cached("UPDATE bartizan_sessions SET facts = ?2 WHERE number = ?1")?
            .execute(params![old.number, facts])?;
    }
    move_stale_day(sql, old, session)
}

/// Writes that a session was used.
pub(crate) fn write_seen(sql: &Connection, old: &Found, new: &Session) -> rusqlite::Result<()> {
    sql.prepare_cached("UPDATE bartizan_sessions SET seen = ?2, idle_expires = ?3 WHERE number = ?1")?
        .execute(params![old.number, to_millis(new.seen), to_millis(new.idle_expires)])?;
    move_stale_day(sql, old, new)
}

/// Writes that a session ended.
pub(crate) fn write_ended(sql: &Connection, number: i64, at: UnixTime, why: Ended) -> rusqlite::Result<()> {
    sql.prepare_cached(
        "UPDATE bartizan_sessions SET previous = NULL, nonce = NULL, ended_at = ?2, ended_why = ?3 WHERE number = ?1",
    )?
    .execute(params![number, to_millis(at), why.as_str()])?;
    Ok(())
}

fn move_stale_day(sql: &Connection, old: &Found, new: &Session) -> rusqlite::Result<()> {
    let day = stale_day(new);
    if day != stale_day(&old.row.session) {
        sql.prepare_cached("UPDATE bartizan_sessions SET stale_day = ?2 WHERE number = ?1")?
            .execute(params![old.number, day])?;
    }
    Ok(())
}

fn generation(session: &Session) -> rusqlite::Result<i64> {
    i64::try_from(session.generation).map_err(|_| damaged())
}

fn stale_day(session: &Session) -> i64 {
    day_of(to_millis(session.idle_expires.min(session.expires)))
}

/// The day of a time in milliseconds.
pub(crate) const fn day_of(millis: i64) -> i64 {
    millis.div_euclid(86_400_000)
}
