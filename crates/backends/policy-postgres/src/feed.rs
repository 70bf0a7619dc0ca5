//! What changed since a revision: all of it, or that it is not known.

use bartizan_core::Revision;
use bartizan_rbac::{Assignment, Change, Changes, Holder};
use sqlx::postgres::PgRow;

use crate::{
    column::{Columns, damaged},
    database::Database,
    error::Failure,
    load::{bounded, must_be_primary},
    marks::Marks,
};

/// So many commits are answered at once, at most.
const COMMITS: i64 = 64;

/// So many rows are read for one answer; where there are more, loading everything is no more work.
const ROWS: usize = 100_000;

/// Where a change's columns begin in the statement.
const CHANGE: usize = 6;

/// The last revision.
pub(crate) async fn revision(database: &Database) -> Result<Revision, Failure> {
    let query = database.query("SELECT pg_is_in_recovery(), revision FROM {schema}.policy_feed");
    let row = database.one(query).await?.ok_or_else(damaged)?;
    must_be_primary(row.boolean(0)?)?;
    row.revision(1)
}

/// What changed after `seen`, as one statement sees it.
pub(crate) async fn since(database: &Database, marks: &Marks, seen: Revision) -> Result<Changes, Failure> {
    let (Some(mark), Ok(from)) = (marks.of(seen), i64::try_from(seen.0)) else {
        return Ok(Changes::Everything);
    };
    let query = database
        .query(
            "SELECT pg_is_in_recovery(), f.revision, c.revision, c.mark, c.kind, c.changes,
                 h.kind, h.tenant, h.subject, h.group_name, h.role, h.not_before, h.expires, h.granted_by, h.reason
             FROM {schema}.policy_feed f
                 LEFT JOIN {schema}.policy_commits c ON c.revision BETWEEN $1 AND $2
                 LEFT JOIN {schema}.policy_changes h ON h.revision = c.revision AND h.revision > $1
             ORDER BY c.revision, h.ordinal LIMIT $3",
        )
        .bind(from)
        .bind(from.saturating_add(COMMITS))
        .bind(i64::try_from(ROWS).unwrap_or(i64::MAX));
    let rows = database.all(query).await?;
    let first = rows.first().ok_or_else(damaged)?;
    must_be_primary(first.boolean(0)?)?;
    let last = first.revision(1)?;
    // SECURITY: the number alone does not say that it is the commit that was seen.
    if first.maybe_number(2)? != Some(seen.0) || first.mark(3)? != mark || rows.len() == ROWS {
        return Ok(Changes::Everything);
    }
    let to = last.min(Revision(seen.0.saturating_add(COMMITS.unsigned_abs())));
    let Some(told) = told(&rows, seen, to)? else { return Ok(Changes::Everything) };
    if to == seen {
        return Ok(Changes::Nothing);
    }
    marks.remember(to, told.mark);
    Ok(Changes::These(told.changes, to))
}

struct Told {
    changes: Vec<Change>,
    /// Of the last commit.
    mark: [u8; 16],
}

/// The changes of all commits after `seen` up to `to`; nothing when one is missing, is no change of assignments, or is not
/// whole.
fn told(rows: &[PgRow], seen: Revision, to: Revision) -> Result<Option<Told>, Failure> {
    let (mut at, mut left) = (seen, 0);
    let mut told = Told { changes: Vec::new(), mark: rows.first().ok_or_else(damaged)?.mark(3)? };
    for row in rows.iter().skip(1) {
        let revision = row.revision(2)?;
        if revision != at {
            let is_next = revision.0 == at.0.saturating_add(1);
            if left != 0 || !is_next || row.text(4)? != "changes" {
                return Ok(None);
            }
            (at, left, told.mark) = (revision, row.number(5)?, row.mark(3)?);
        }
        if row.maybe_text(CHANGE)?.is_some() {
            told.changes.push(change(row)?);
            let Some(less) = left.checked_sub(1) else { return Ok(None) };
            left = less;
        }
    }
    Ok((left == 0 && at == to).then_some(told))
}

fn change(row: &PgRow) -> Result<Change, Failure> {
    let tenant: Box<str> = row.text(CHANGE + 1)?.into();
    let subject = || row.maybe_text(CHANGE + 2)?.map(Box::from).ok_or_else(damaged);
    let group = || row.maybe_text(CHANGE + 3)?.map(Box::from).ok_or_else(damaged);
    let role = || row.maybe_text(CHANGE + 4)?.map(Box::from).ok_or_else(damaged);
    let is_to_group = row.maybe_text(CHANGE + 3)?.is_some();
    Ok(match row.text(CHANGE)? {
        "assign" => {
            let role: Box<str> = role()?;
            let assignment = match (&*tenant, is_to_group) {
                ("", true) => return Err(damaged()),
                ("", false) => Assignment::across_tenants(subject()?, role),
                (_, true) => Assignment::to_group(tenant, group()?, role),
                (_, false) => Assignment::new(tenant, subject()?, role),
            };
            Change::Assign(bounded(assignment, row, CHANGE + 5)?)
        }
        "revoke" => {
            let holder = if is_to_group { Holder::Group(group()?) } else { Holder::Subject(subject()?) };
            Change::Revoke { tenant, holder, role: role()? }
        }
        "join" => Change::Join { tenant, group: group()?, subject: subject()? },
        "leave" => Change::Leave { tenant, group: group()?, subject: subject()? },
        "remove" => Change::Remove { tenant, subject: subject()? },
        _ => return Err(damaged()),
    })
}
