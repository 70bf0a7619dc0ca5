//! What is done to sessions.

use bartizan_core::UnixTime;
use bartizan_sessions::{
    Begin, Begun, Cap, Ended, Epochs, Happening, Note, Revocation, Scope, SessionId, SessionKey, WhenFull,
    to_millis,
};
use sqlx::postgres::PgRow;

use crate::{
    column::{Columns, damaged},
    database::{Database, SYNCED, Transaction},
    error::Failure,
    ledger::Happened,
    row::{BOUND, LIVES, bound, stale_day},
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

/// One statement adds a session of its subject's epochs and tells the outbox.
fn begin_statement() -> String {
    format!(
        "WITH begun AS (
             INSERT INTO {{schema}}.sessions ({BOUND}, stale_day, subject_epoch, global_epoch)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
                 coalesce((SELECT e.epoch FROM {{schema}}.ends e WHERE e.tenant = $9 AND e.subject = $10), 0), g.epoch
             FROM {{schema}}.end_of_all g
             RETURNING key, subject_epoch, global_epoch),
         told AS (
             INSERT INTO {{schema}}.outbox (at, happening, tenant, subject, session, subject_epoch, global_epoch, about, note)
             SELECT $20, $21, $9, $10, key, subject_epoch, global_epoch, '', $22 FROM begun)
         SELECT subject_epoch, global_epoch, {SYNCED} FROM begun"
    )
}

/// A session without a limit that replaces none: one round trip.
///
/// A subject's sessions may all be ended between the reading of its epoch in here and the commit. Then this one is of the earlier
/// epoch, and dead at its first use.
pub(crate) async fn begin(database: &Database, begin: &Begin, facts: &str) -> Result<Begun, Failure> {
    if begin.cap.is_some() || begin.replaces.is_some() {
        return begin_in_place_of(database, begin, facts).await;
    }
    let insert = bound(database.query(&begin_statement()), &begin.row, facts)?
        .bind(stale_day(&begin.row.session))
        .bind(to_millis(begin.now))
        .bind(Happening::Begun.as_str())
        .bind(&*begin.note.0);
    begun(begin, database.one(insert).await?)
}

async fn begin_in_place_of(database: &Database, begin: &Begin, facts: &str) -> Result<Begun, Failure> {
    let session = &begin.row.session;
    let mut work = database.begin().await?;
    if begin.cap.is_some() {
        // Beginnings of one subject one after the other, so that each sees those before it.
        let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1 || chr(31) || $2, hashtext($3)))";
        let lock = work.query(lock).bind(&*session.tenant).bind(&*session.subject);
        work.execute(lock.bind(database.schema().to_owned())).await?;
    }
    let replaced = match &begin.replaces {
        Some(selector) => {
            let query = format!(
                "SELECT {DOOMED} FROM {{schema}}.sessions s WHERE s.selector = $1 AND {LIVES} FOR UPDATE OF s"
            );
            let query = work.query(&query).bind(&selector.as_bytes()[..]);
            work.one(query).await?.as_ref().map(Doomed::read).transpose()?
        }
        None => None,
    };
    let crowded = match begin.cap {
        Some(cap) => match crowded(&mut work, begin, cap, replaced.as_ref()).await? {
            Some(crowded) => crowded,
            None => {
                work.undo().await?;
                return Ok(Begun::TooMany);
            }
        },
        None => Vec::new(),
    };
    let ends = replaced.into_iter().map(|doomed| (doomed, Ended::Replaced));
    for (doomed, why) in ends.chain(crowded.into_iter().map(|doomed| (doomed, Ended::Crowded))) {
        let ending = Ending { why, now: begin.now, until: begin.remember_until, note: &begin.note };
        end_row(&mut work, &doomed, &ending).await?;
    }
    // After the feed's row was locked, which INVARIANT(feed-last) bears: nobody holds a row that is only now made.
    let insert = bound(work.query(&begin_statement()), &begin.row, facts)?
        .bind(stale_day(session))
        .bind(to_millis(begin.now))
        .bind(Happening::Begun.as_str())
        .bind(&*begin.note.0);
    let begun = begun(begin, work.one(insert).await?)?;
    work.commit().await?;
    Ok(begun)
}

fn begun(begin: &Begin, row: Option<PgRow>) -> Result<Begun, Failure> {
    let row = row.ok_or_else(damaged)?;
    let epochs = Epochs { subject: row.epoch(0)?, global: row.epoch(1)? };
    Ok(Begun::As(SessionId { key: begin.row.session.id.key, epochs }))
}

/// Which sessions make room for one more; none when that is refused.
async fn crowded(
    work: &mut Transaction<'_>,
    begin: &Begin,
    cap: Cap,
    replaced: Option<&Doomed>,
) -> Result<Option<Vec<Doomed>>, Failure> {
    let session = &begin.row.session;
    let query = work
        .query(&format!(
            "SELECT {DOOMED} FROM {{schema}}.sessions s
             WHERE s.tenant = $1 AND s.subject = $2 AND {LIVES} AND $3 < s.idle_expires AND $3 < s.expires
             ORDER BY s.seen, s.key FOR UPDATE OF s"
        ))
        .bind(&*session.tenant)
        .bind(&*session.subject)
        .bind(to_millis(begin.now));
    let living = work.all(query).await?;
    let mut living = living.iter().map(Doomed::read).collect::<Result<Vec<_>, _>>()?;
    living.retain(|doomed| replaced.is_none_or(|replaced| replaced.number != doomed.number));
    let most = usize::try_from(cap.most).unwrap_or(usize::MAX);
    let too_many = (living.len() + 1).saturating_sub(most);
    if cap.when_full == WhenFull::Refuse && too_many > 0 {
        return Ok(None);
    }
    living.truncate(too_many);
    Ok(Some(living))
}

pub(crate) async fn write_ended(
    work: &mut Transaction<'_>,
    number: i64,
    at: UnixTime,
    why: Ended,
) -> Result<(), Failure> {
    let update = work.query(
        "UPDATE {schema}.sessions SET previous = NULL, nonce = NULL, ended_at = $2, ended_why = $3 WHERE number = $1",
    );
    work.execute(update.bind(number).bind(to_millis(at)).bind(why.as_str())).await?;
    Ok(())
}

/// Ends those of an owner's sessions that are asked for and not at an end, expired or not: an access token may outlive its session.
pub(crate) async fn end_some(
    database: &Database,
    (tenant, subject): (&str, &str),
    which: Of,
    ending: &Ending<'_>,
) -> Result<u64, Failure> {
    let (key, is_to_end) = match which {
        Of::One(key) => (key, "s.key = $3"),
        Of::AllBut(key) => (key, "s.key <> $3"),
    };
    let mut work = database.begin().await?;
    let query = work
        .query(&format!(
            "SELECT {DOOMED} FROM {{schema}}.sessions s
             WHERE s.tenant = $1 AND s.subject = $2 AND {is_to_end} AND {LIVES} ORDER BY s.number FOR UPDATE OF s"
        ))
        .bind(tenant)
        .bind(subject)
        .bind(&key.as_bytes()[..]);
    let rows = work.all(query).await?;
    for row in &rows {
        end_row(&mut work, &Doomed::read(row)?, ending).await?;
    }
    work.commit().await?;
    Ok(rows.len() as u64)
}

/// The rows are not touched: their epoch is what ends them.
pub(crate) async fn end_all(
    database: &Database,
    tenant: &str,
    subject: &str,
    ending: &Ending<'_>,
) -> Result<u64, Failure> {
    let mut work = database.begin().await?;
    // First, so that of two at once the second counts what the first has left.
    let step = work
        .query(
            "INSERT INTO {schema}.ends AS e (tenant, subject, epoch, at) VALUES ($1, $2, 1, $3)
             ON CONFLICT (tenant, subject) DO UPDATE SET epoch = e.epoch + 1, at = greatest(e.at, excluded.at)
             RETURNING e.epoch",
        )
        .bind(tenant)
        .bind(subject)
        .bind(to_millis(ending.now));
    let epoch = work.one(step).await?.ok_or_else(damaged)?.epoch(0)?;
    let count = work
        .query(
            "SELECT count(*) FROM {schema}.sessions s WHERE s.tenant = $1 AND s.subject = $2 AND s.ended_at IS NULL
                 AND s.subject_epoch = $3 AND s.global_epoch = (SELECT g.epoch FROM {schema}.end_of_all g)",
        )
        .bind(tenant)
        .bind(subject)
        .bind(i64::from(epoch) - 1);
    let living = work.one(count).await?.ok_or_else(damaged)?.number(0)?;
    let scope = Scope::Subject { tenant: tenant.into(), subject: subject.into(), epoch };
    tell(&mut work, (tenant, subject), Happening::AllEnded, scope, ending).await?;
    work.commit().await?;
    Ok(living)
}

pub(crate) async fn end_everything(database: &Database, ending: &Ending<'_>) -> Result<u64, Failure> {
    let mut work = database.begin().await?;
    let step = "UPDATE {schema}.end_of_all SET epoch = epoch + 1, at = greatest(at, $1) RETURNING epoch";
    let step = work.query(step).bind(to_millis(ending.now));
    let epoch = work.one(step).await?.ok_or_else(damaged)?.epoch(0)?;
    let count = work
        .query(
            "SELECT count(*) FROM {schema}.sessions s WHERE s.ended_at IS NULL AND s.global_epoch = $1 AND s.subject_epoch =
                 coalesce((SELECT e.epoch FROM {schema}.ends e WHERE e.tenant = s.tenant AND e.subject = s.subject), 0)",
        )
        .bind(i64::from(epoch) - 1);
    let living = work.one(count).await?.ok_or_else(damaged)?.number(0)?;
    tell(&mut work, ("", ""), Happening::EverythingEnded, Scope::Everything { epoch }, ending).await?;
    work.commit().await?;
    Ok(living)
}

async fn tell(
    work: &mut Transaction<'_>,
    (tenant, subject): (&str, &str),
    what: Happening,
    scope: Scope,
    ending: &Ending<'_>,
) -> Result<(), Failure> {
    let about = ending.why.as_str();
    Happened { at: ending.now, what, tenant, subject, session: None, about, note: ending.note }
        .record_and_revoke(work, &Revocation { scope, at: ending.now, until: ending.until })
        .await
}

/// A session that is to end: what is needed of its row, which is locked.
struct Doomed {
    number: i64,
    id: SessionId,
    tenant: Box<str>,
    subject: Box<str>,
}

/// The columns of [`Doomed::read`].
const DOOMED: &str = "s.number, s.key, s.subject_epoch, s.global_epoch, s.tenant, s.subject";

impl Doomed {
    fn read(row: &PgRow) -> Result<Self, Failure> {
        let epochs = Epochs { subject: row.epoch(2)?, global: row.epoch(3)? };
        Ok(Self {
            number: row.integer(0)?,
            id: SessionId { key: SessionKey::from_bytes(row.bytes(1)?), epochs },
            tenant: row.text(4)?.into(),
            subject: row.text(5)?.into(),
        })
    }
}

async fn end_row(work: &mut Transaction<'_>, doomed: &Doomed, ending: &Ending<'_>) -> Result<(), Failure> {
    write_ended(work, doomed.number, ending.now, ending.why).await?;
    let what = if ending.why == Ended::LoggedOut { Happening::LoggedOut } else { Happening::Ended };
    let scope = Scope::Session(doomed.id.key);
    Happened {
        at: ending.now,
        what,
        tenant: &doomed.tenant,
        subject: &doomed.subject,
        session: Some(doomed.id),
        about: ending.why.as_str(),
        note: ending.note,
    }
    .record_and_revoke(work, &Revocation { scope, at: ending.now, until: ending.until })
    .await
}
