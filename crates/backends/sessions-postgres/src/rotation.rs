//! A secret, exchanged.

use std::sync::Arc;

use bartizan_core::UnixTime;
use bartizan_sessions::{
    Ended, Happening, Judgement, Note, Revocation, Rotate, Rotation, Scope, Session, StoredSession, judge,
    to_millis,
};

use crate::{
    column::damaged,
    database::{Database, SYNCED, Transaction},
    error::Failure,
    ledger::{Happened, epochs_in},
    row::{LIVES, STORED, digest, stale_day, stored},
    session::write_ended,
};

/// The way that almost every rotation takes: a current, live and rightly bound secret, in one statement and one round trip. It writes
/// what [`judge`] says of such a row. No row comes back for every other one, and nothing was written.
fn rotate_statement() -> String {
    format!(
        "WITH rotated AS (
             UPDATE {{schema}}.sessions s SET
                 current = $3,
                 selector = coalesce($4, s.selector),
                 previous = CASE WHEN $5::bytea IS NULL THEN NULL ELSE s.current END,
                 nonce = $5,
                 grace_until = $6,
                 generation = s.generation + 1,
                 seen = greatest(s.seen, $7),
                 idle_expires = least(greatest(s.idle_expires, $8), s.expires),
                 stale_day = least(greatest(s.idle_expires, $8), s.expires) / 86400000,
                 facts = coalesce($9, s.facts)
             WHERE s.selector = $1 AND s.current = $2 AND {LIVES} AND $7 < s.idle_expires AND $7 < s.expires
                 AND (s.binding IS NULL OR s.binding = $10)
             RETURNING {STORED}),
         told AS (
             INSERT INTO {{schema}}.outbox (at, happening, tenant, subject, session, subject_epoch, global_epoch, about, note)
             SELECT $7, $11, s.tenant, s.subject, s.key, s.subject_epoch, s.global_epoch, '', $12 FROM rotated s)
         SELECT {STORED}, {SYNCED} FROM rotated s"
    )
}

/// The text of [`rotate_statement`], which is needed too often to be made anew.
pub(crate) fn rotate_text(schema: &str) -> Arc<str> {
    rotate_statement().replace("{schema}", schema).into()
}

pub(crate) async fn rotate(
    database: &Database,
    ask: &Rotate,
    facts: Option<&str>,
) -> Result<Rotation, Failure> {
    let query = database
        .rotation()
        .bind(&ask.selector.as_bytes()[..])
        .bind(&ask.presented.as_bytes()[..])
        .bind(&ask.next.as_bytes()[..])
        .bind(digest(ask.next_selector.as_ref()))
        .bind(ask.nonce.as_ref().map(|nonce| &nonce[..]))
        .bind(to_millis(ask.now.saturating_add(ask.grace)))
        .bind(to_millis(ask.now))
        .bind(to_millis(ask.now.saturating_add(ask.idle)))
        .bind(facts)
        .bind(digest(ask.binding.as_ref()))
        .bind(Happening::Renewed.as_str())
        .bind(&*ask.note.0);
    match database.one(query).await? {
        Some(row) => Ok(Rotation::Rotated(stored(&row)?.1.session)),
        None => rotate_judged(database, ask).await,
    }
}

/// Every other row, and one that changed in between.
async fn rotate_judged(database: &Database, ask: &Rotate) -> Result<Rotation, Failure> {
    let mut work = database.begin().await?;
    let query = format!("SELECT {STORED} FROM {{schema}}.sessions s WHERE s.selector = $1 FOR UPDATE OF s");
    let query = work.query(&query).bind(&ask.selector.as_bytes()[..]);
    let Some(found) = work.one(query).await? else {
        work.undo().await?;
        return Ok(Rotation::Unknown);
    };
    let (number, row) = stored(&found)?;
    // After the row was waited for, in a statement of its own: what was committed meanwhile is seen.
    let epochs = epochs_in(&mut work, &row.session.tenant, &row.session.subject).await?;
    match judge(&row, epochs, ask) {
        Judgement::Rotate(new) => {
            write_rotated(&mut work, number, &new).await?;
            of(&new, ask.now, Happening::Renewed, "", &ask.note).record(&mut work).await?;
            work.commit().await?;
            Ok(Rotation::Rotated(new.session))
        }
        Judgement::End(new) => {
            write_ended(&mut work, number, ask.now, Ended::Reused).await?;
            let scope = Scope::Session(new.session.id.key);
            let revocation = Revocation { scope, at: ask.now, until: ask.remember_until };
            of(&new, ask.now, Happening::Reused, Ended::Reused.as_str(), &ask.note)
                .record_and_revoke(&mut work, &revocation)
                .await?;
            work.commit().await?;
            Ok(Rotation::Reused(new.session))
        }
        Judgement::Answer(rotation) => {
            work.undo().await?;
            Ok(rotation)
        }
    }
}

async fn write_rotated(work: &mut Transaction<'_>, number: i64, new: &StoredSession) -> Result<(), Failure> {
    let facts = new.session.facts.to_text().map_err(|_| damaged())?;
    let update = work.query(
        "UPDATE {schema}.sessions SET current = $2, selector = $3, previous = $4, nonce = $5, grace_until = $6, generation = $7,
             seen = $8, idle_expires = $9, stale_day = $10, facts = $11 WHERE number = $1",
    );
    let update = update
        .bind(number)
        .bind(&new.current.as_bytes()[..])
        .bind(&new.selector.as_bytes()[..])
        .bind(digest(new.previous.as_ref()))
        .bind(new.nonce.as_ref().map(|nonce| &nonce[..]))
        .bind(to_millis(new.grace_until))
        .bind(i64::try_from(new.session.generation).map_err(|_| damaged())?)
        .bind(to_millis(new.session.seen))
        .bind(to_millis(new.session.idle_expires))
        .bind(stale_day(&new.session))
        .bind(facts);
    work.execute(update).await?;
    Ok(())
}

fn of<'a>(
    row: &'a StoredSession,
    at: UnixTime,
    what: Happening,
    about: &'a str,
    note: &'a Note,
) -> Happened<'a> {
    let session: &Session = &row.session;
    let (tenant, subject) = (&*session.tenant, &*session.subject);
    Happened { at, what, tenant, subject, session: Some(session.id), about, note }
}
