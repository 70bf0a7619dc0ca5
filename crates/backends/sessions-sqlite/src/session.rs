//! What is done to sessions, in a transaction of the writing thread.

use std::sync::LazyLock;

use bartizan_core::UnixTime;
use bartizan_sessions::{
    Begin, Begun, Cap, Ended, Epochs, Happening, Judgement, Note, Revocation, Rotate, Rotation, Scope,
    SessionId, SessionKey, StoredSession, WhenFull, judge, to_millis,
};
use rusqlite::{Connection, Row, params};

use crate::{
    column::{Columns, OneOf},
    error::damaged,
    ledger::{Happened, epochs, record, revoke},
    row::{FOUND, Found, LIVES, insert, write_ended, write_rotated},
};

/// How sessions end.
pub(crate) struct Ending<'a> {
    pub(crate) why: Ended,
    pub(crate) now: UnixTime,
    pub(crate) until: UnixTime,
    pub(crate) note: &'a Note,
}

/// Which sessions of an owner are to end.
#[derive(Clone, Copy)]
pub(crate) enum Of {
    One(SessionKey),
    AllBut(SessionKey),
}

/// What every rotation asks, put together once.
static BY_SELECTOR: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {FOUND} FROM bartizan_sessions s WHERE s.selector = ?1"));

pub(crate) fn by_selector(sql: &Connection, selector: &[u8; 32]) -> rusqlite::Result<Option<Found>> {
    sql.prepare_cached(&BY_SELECTOR)?.one([selector], Found::read)
}

pub(crate) fn by_key(sql: &Connection, key: SessionKey) -> rusqlite::Result<Option<Found>> {
    sql.prepare_cached(&format!("SELECT {FOUND} FROM bartizan_sessions s WHERE s.key = ?1"))?
        .one([key.as_bytes()], Found::read)
}

pub(crate) fn begin(sql: &Connection, begin: &Begin, facts: &str) -> rusqlite::Result<Begun> {
    let session = &begin.row.session;
    let replaced = match &begin.replaces {
        Some(selector) => by_selector(sql, selector.as_bytes())?.filter(Found::lives),
        None => None,
    };
    let replaced = replaced.map(Doomed::from);
    let crowded = match begin.cap {
        Some(cap) => match crowded(sql, begin, cap, replaced.as_ref())? {
            Some(crowded) => crowded,
            None => return Ok(Begun::TooMany),
        },
        None => Vec::new(),
    };
    let ends = replaced.into_iter().map(|doomed| (doomed, Ended::Replaced));
    for (doomed, why) in ends.chain(crowded.into_iter().map(|doomed| (doomed, Ended::Crowded))) {
        let ending = Ending { why, now: begin.now, until: begin.remember_until, note: &begin.note };
        end_row(sql, &doomed, &ending)?;
    }
    let mut row = begin.row.clone();
    row.session.id.epochs = epochs(sql, &session.tenant, &session.subject)?;
    insert(sql, &row, facts)?;
    record(sql, &of(&row, begin.now, Happening::Begun, "", &begin.note))?;
    Ok(Begun::As(row.session.id))
}

/// Which sessions make room for one more; none when that is refused.
fn crowded(
    sql: &Connection,
    begin: &Begin,
    cap: Cap,
    replaced: Option<&Doomed>,
) -> rusqlite::Result<Option<Vec<Doomed>>> {
    let session = &begin.row.session;
    let mut living = sql
        .prepare_cached(&format!(
            "SELECT {DOOMED} FROM bartizan_sessions s
             WHERE s.tenant = ?1 AND s.subject = ?2 AND {LIVES} AND ?3 < s.idle_expires AND ?3 < s.expires
             ORDER BY s.seen, s.key"
        ))?
        .query_map(params![session.tenant, session.subject, to_millis(begin.now)], Doomed::read)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    living.retain(|doomed| replaced.is_none_or(|replaced| replaced.number != doomed.number));
    let most = usize::try_from(cap.most).unwrap_or(usize::MAX);
    let too_many = (living.len() + 1).saturating_sub(most);
    if cap.when_full == WhenFull::Refuse && too_many > 0 {
        return Ok(None);
    }
    living.truncate(too_many);
    Ok(Some(living))
}

pub(crate) fn rotate(sql: &Connection, ask: &Rotate) -> rusqlite::Result<Rotation> {
    let Some(found) = by_selector(sql, ask.selector.as_bytes())? else {
        return Ok(Rotation::Unknown);
    };
    match judge(&found.row, found.epochs, ask) {
        Judgement::Rotate(new) => {
            write_rotated(sql, &found, &new)?;
            record(sql, &of(&new, ask.now, Happening::Renewed, "", &ask.note))?;
            Ok(Rotation::Rotated(new.session))
        }
        Judgement::End(new) => {
            write_ended(sql, found.number, ask.now, Ended::Reused)?;
            let scope = Scope::Session(new.session.id.key);
            revoke(sql, &Revocation { scope, at: ask.now, until: ask.remember_until })?;
            record(sql, &of(&new, ask.now, Happening::Reused, Ended::Reused.as_str(), &ask.note))?;
            Ok(Rotation::Reused(new.session))
        }
        Judgement::Answer(rotation) => Ok(rotation),
    }
}

/// Ends those of an owner's sessions that are asked for and not at an end, expired or not: an access token may outlive its session.
pub(crate) fn end_some(
    sql: &Connection,
    tenant: &str,
    subject: &str,
    which: Of,
    ending: &Ending<'_>,
) -> rusqlite::Result<u64> {
    let (key, is_to_end) = match which {
        Of::One(key) => (key, "s.key = ?3"),
        Of::AllBut(key) => (key, "s.key <> ?3"),
    };
    let doomed = sql
        .prepare_cached(&format!(
            "SELECT {DOOMED} FROM bartizan_sessions s
             WHERE s.tenant = ?1 AND s.subject = ?2 AND {is_to_end} AND {LIVES} ORDER BY s.number"
        ))?
        .query_map(params![tenant, subject, key.as_bytes()], Doomed::read)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for doomed in &doomed {
        end_row(sql, doomed, ending)?;
    }
    Ok(doomed.len() as u64)
}

/// The rows are not touched: their epoch is what ends them.
pub(crate) fn end_all(
    sql: &Connection,
    tenant: &str,
    subject: &str,
    ending: &Ending<'_>,
) -> rusqlite::Result<u64> {
    let living = count(
        sql,
        &format!(
            "SELECT count(*) FROM bartizan_sessions s WHERE s.tenant = ?1 AND s.subject = ?2 AND {LIVES}"
        ),
        params![tenant, subject],
    )?;
    // A clock that is behind does not bring back what was ended.
    let epoch = sql
        .prepare_cached(
            "INSERT INTO bartizan_session_ends (tenant, subject, epoch, at) VALUES (?1, ?2, 1, ?3)
             ON CONFLICT (tenant, subject) DO UPDATE SET epoch = epoch + 1, at = max(at, excluded.at) RETURNING epoch",
        )?
        .one(params![tenant, subject, to_millis(ending.now)], |row| row.epoch(0))?
        .ok_or_else(damaged)?;
    let scope = Scope::Subject { tenant: tenant.into(), subject: subject.into(), epoch };
    end_for(sql, tenant, subject, Happening::AllEnded, scope, ending)?;
    Ok(living)
}

pub(crate) fn end_everything(sql: &Connection, ending: &Ending<'_>) -> rusqlite::Result<u64> {
    let living = count(sql, &format!("SELECT count(*) FROM bartizan_sessions s WHERE {LIVES}"), [])?;
    let epoch = sql
        .prepare_cached(
            "UPDATE bartizan_session_end_of_all SET epoch = epoch + 1, at = max(coalesce(at, ?1), ?1) RETURNING epoch",
        )?
        .one([to_millis(ending.now)], |row| row.epoch(0))?
        .ok_or_else(damaged)?;
    end_for(sql, "", "", Happening::EverythingEnded, Scope::Everything { epoch }, ending)?;
    Ok(living)
}

fn end_for(
    sql: &Connection,
    tenant: &str,
    subject: &str,
    what: Happening,
    scope: Scope,
    ending: &Ending<'_>,
) -> rusqlite::Result<()> {
    revoke(sql, &Revocation { scope, at: ending.now, until: ending.until })?;
    let about = ending.why.as_str();
    record(sql, &Happened { at: ending.now, what, tenant, subject, session: None, about, note: ending.note })
}

/// A session that is to end: what is needed of its row.
struct Doomed {
    number: i64,
    id: SessionId,
    tenant: Box<str>,
    subject: Box<str>,
}

/// The columns of [`Doomed::read`].
const DOOMED: &str = "s.number, s.key, s.subject_epoch, s.global_epoch, s.tenant, s.subject";

impl Doomed {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let epochs = Epochs { subject: row.epoch(2)?, global: row.epoch(3)? };
        Ok(Self {
            number: row.integer(0)?,
            id: SessionId { key: SessionKey::from_bytes(row.bytes(1)?), epochs },
            tenant: row.text(4)?.into(),
            subject: row.text(5)?.into(),
        })
    }
}

impl From<Found> for Doomed {
    fn from(found: Found) -> Self {
        let session = found.row.session;
        Self { number: found.number, id: session.id, tenant: session.tenant, subject: session.subject }
    }
}

fn end_row(sql: &Connection, doomed: &Doomed, ending: &Ending<'_>) -> rusqlite::Result<()> {
    write_ended(sql, doomed.number, ending.now, ending.why)?;
    let scope = Scope::Session(doomed.id.key);
    revoke(sql, &Revocation { scope, at: ending.now, until: ending.until })?;
    let what = if ending.why == Ended::LoggedOut { Happening::LoggedOut } else { Happening::Ended };
    record(
        sql,
        &Happened {
            at: ending.now,
            what,
            tenant: &doomed.tenant,
            subject: &doomed.subject,
            session: Some(doomed.id),
            about: ending.why.as_str(),
            note: ending.note,
        },
    )
}

fn of<'a>(
    row: &'a StoredSession,
    at: UnixTime,
    what: Happening,
    about: &'a str,
    note: &'a Note,
) -> Happened<'a> {
    let session = &row.session;
    let (tenant, subject) = (&*session.tenant, &*session.subject);
    Happened { at, what, tenant, subject, session: Some(session.id), about, note }
}

fn count(sql: &Connection, statement: &str, parameters: impl rusqlite::Params) -> rusqlite::Result<u64> {
    let count = sql.prepare_cached(statement)?.one(parameters, |row| row.integer(0))?;
    count.and_then(|count| u64::try_from(count).ok()).ok_or_else(damaged)
}
