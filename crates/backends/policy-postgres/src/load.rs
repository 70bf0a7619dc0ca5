//! Everything, at one revision.

use bartizan_rbac::{Assignment, Change, Loaded, PolicyText, SourceErrorKind};
use sqlx::postgres::PgRow;

use crate::{
    column::{Columns, damaged},
    database::{Database, Transaction},
    error::Failure,
    marks::Marks,
};

/// So many rows are asked for at once.
const PAGE: i64 = 10_000;

/// Policy, assignments and members as one transaction sees them, or an error.
pub(crate) async fn everything(database: &Database, marks: &Marks) -> Result<Loaded, Failure> {
    let mut work = database.begin_reading().await?;
    let query = work.query(
        "SELECT pg_is_in_recovery(), f.revision, c.mark, d.form, d.text
         FROM {schema}.policy_feed f LEFT JOIN {schema}.policy_commits c USING (revision)
             LEFT JOIN {schema}.policy_document d ON true",
    );
    let row = work.one(query).await?.ok_or_else(damaged)?;
    must_be_primary(row.boolean(0)?)?;
    let (revision, mark) = (row.revision(1)?, row.mark(2)?);
    let policy = match (row.maybe_text(3)?, row.maybe_text(4)?) {
        (Some("toml"), Some(text)) => PolicyText::Toml(text.to_owned()),
        (Some("json"), Some(text)) => PolicyText::Json(text.to_owned()),
        (None, None) => {
            work.undo().await?;
            return Err(SourceErrorKind::Missing.into());
        }
        _ => return Err(damaged()),
    };
    let assignments = assignments(&mut work).await?;
    let members = members(&mut work).await?;
    // Not before the server has said that this was all.
    work.commit().await?;
    marks.remember(revision, mark);
    Ok(Loaded::new(policy, assignments, revision).with(members))
}

/// SECURITY: a standby may lag behind, and would give back roles that were taken away.
pub(crate) fn must_be_primary(is_in_recovery: bool) -> Result<(), Failure> {
    if is_in_recovery { Err(SourceErrorKind::Unavailable.into()) } else { Ok(()) }
}

async fn assignments(work: &mut Transaction<'_>) -> Result<Vec<Assignment>, Failure> {
    let mut all = Vec::new();
    // No holder's and no role's name is empty: the first page begins after this.
    let mut last = (String::new(), String::new(), false, String::new());
    loop {
        let query = work
            .query(
                "SELECT tenant, holder, is_group, role, not_before, expires, granted_by, reason
                 FROM {schema}.policy_assignments WHERE (tenant, holder, is_group, role) > ($1, $2, $3, $4)
                 ORDER BY tenant, holder, is_group, role LIMIT $5",
            )
            .bind(&last.0)
            .bind(&last.1)
            .bind(last.2)
            .bind(&last.3)
            .bind(PAGE);
        let rows = work.all(query).await?;
        for row in &rows {
            all.push(assignment(row)?);
        }
        match rows.last() {
            Some(row) if rows.len() as u64 == PAGE.unsigned_abs() => {
                last = (row.text(0)?.into(), row.text(1)?.into(), row.boolean(2)?, row.text(3)?.into());
            }
            _ => return Ok(all),
        }
    }
}

fn assignment(row: &PgRow) -> Result<Assignment, Failure> {
    let (tenant, holder, role) = (row.text(0)?, row.text(1)?, row.text(3)?);
    let assignment = match (tenant, row.boolean(2)?) {
        ("", true) => return Err(damaged()),
        ("", false) => Assignment::across_tenants(holder, role),
        (tenant, true) => Assignment::to_group(tenant, holder, role),
        (tenant, false) => Assignment::new(tenant, holder, role),
    };
    bounded(assignment, row, 4)
}

/// With bounds, giver and reason, which stand in this order from here on.
pub(crate) fn bounded(mut assignment: Assignment, row: &PgRow, at: usize) -> Result<Assignment, Failure> {
    if let Some(from) = row.maybe_time(at)? {
        assignment = assignment.not_before(from);
    }
    if let Some(end) = row.maybe_time(at + 1)? {
        assignment = assignment.expires(end);
    }
    if let Some(who) = row.maybe_text(at + 2)? {
        assignment = assignment.granted_by(who);
    }
    if let Some(why) = row.maybe_text(at + 3)? {
        assignment = assignment.because(why);
    }
    Ok(assignment)
}

async fn members(work: &mut Transaction<'_>) -> Result<Vec<Change>, Failure> {
    let mut all = Vec::new();
    let mut last = (String::new(), String::new(), String::new());
    loop {
        let query = work
            .query(
                "SELECT tenant, subject, group_name FROM {schema}.policy_members
                 WHERE (tenant, subject, group_name) > ($1, $2, $3)
                 ORDER BY tenant, subject, group_name LIMIT $4",
            )
            .bind(&last.0)
            .bind(&last.1)
            .bind(&last.2)
            .bind(PAGE);
        let rows = work.all(query).await?;
        for row in &rows {
            let (tenant, subject, group) = (row.text(0)?.into(), row.text(1)?.into(), row.text(2)?.into());
            all.push(Change::Join { tenant, group, subject });
        }
        match rows.last() {
            Some(row) if rows.len() as u64 == PAGE.unsigned_abs() => {
                last = (row.text(0)?.into(), row.text(1)?.into(), row.text(2)?.into());
            }
            _ => return Ok(all),
        }
    }
}
