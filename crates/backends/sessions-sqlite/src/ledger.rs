//! What is written beside every change, in its transaction: the entry in the outbox, and the revocation in the feed.

use bartizan_core::UnixTime;
use bartizan_sessions::{Epochs, Happening, Note, Revocation, Scope, SessionId, to_millis};
use rusqlite::{Connection, params};

use crate::{
    column::{Columns, OneOf},
    error::damaged,
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

/// Puts an entry in the outbox.
pub(crate) fn record(sql: &Connection, happened: &Happened<'_>) -> rusqlite::Result<()> {
    sql.prepare_cached(
        "INSERT INTO bartizan_session_outbox (at, happening, tenant, subject, session, about, note)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        to_millis(happened.at),
        happened.what.as_str(),
        happened.tenant,
        happened.subject,
        happened.session.map(|id| id.to_string()),
        happened.about,
        happened.note.0,
    ])?;
    Ok(())
}

/// Puts a revocation in the feed.
pub(crate) fn revoke(sql: &Connection, revocation: &Revocation) -> rusqlite::Result<()> {
    let Revocation { scope, at, until } = revocation;
    let (word, jti, session, owner, epoch) = match scope {
        Scope::Token(jti) => ("token", Some(jti), None, None, None),
        Scope::Session(key) => ("session", None, Some(key.as_bytes()), None, None),
        Scope::Subject { tenant, subject, epoch } => {
            ("subject", None, None, Some((tenant, subject)), Some(*epoch))
        }
        Scope::Everything { epoch } => ("everything", None, None, None, Some(*epoch)),
        // A scope of a later version of the seam, which this table has no columns for.
        _ => return Err(damaged()),
    };
    sql.prepare_cached(
        "INSERT INTO bartizan_session_revocations (scope, jti, session, tenant, subject, epoch, at, until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        word,
        jti,
        session,
        owner.map(|(tenant, _)| tenant),
        owner.map(|(_, subject)| subject),
        epoch,
        to_millis(*at),
        to_millis(*until),
    ])?;
    Ok(())
}

/// A subject's epochs now.
pub(crate) fn epochs(sql: &Connection, tenant: &str, subject: &str) -> rusqlite::Result<Epochs> {
    sql.prepare_cached(
        "SELECT coalesce((SELECT epoch FROM bartizan_session_ends WHERE tenant = ?1 AND subject = ?2), 0),
             (SELECT epoch FROM bartizan_session_end_of_all)",
    )?
    .one([tenant, subject], |row| Ok(Epochs { subject: row.epoch(0)?, global: row.epoch(1)? }))?
    .ok_or_else(damaged)
}
