//! Commits: one at a time, each with the next revision.

use bartizan_core::{Revision, UnixTime};
use bartizan_rbac::{Assignment, Change, PolicyText, SourceErrorKind};

use crate::{
    column::{Columns, Mark, damaged},
    database::{Database, Transaction},
    effect::{Effect, is_group},
    error::Failure,
    load::must_be_primary,
    marks::Marks,
};

/// So many commits are forgotten at once.
const TRIM: i64 = 1_000;

/// What is called out when something was committed. Nothing but that it was: whoever hears it asks.
pub(crate) fn channel(schema: &str) -> Box<str> {
    // Postgres takes names of 63 bytes, which a schema's may have: where two begin alike, one hears the other, and asks in vain.
    let mut channel = format!("policy_{schema}");
    channel.truncate(63);
    channel.into()
}

/// All of the changes in one transaction, or none.
pub(crate) async fn commit(
    database: &Database,
    marks: &Marks,
    expected: Revision,
    changes: &[Change],
) -> Result<Revision, Failure> {
    let effect = Effect::of(changes)?;
    let mut commit = Commit::begin(database, marks, expected).await?;
    if changes.is_empty() {
        commit.work.undo().await?;
        return Ok(expected);
    }
    commit.number("changes", changes.len()).await?;
    commit.log(changes).await?;
    commit.take(&effect).await?;
    commit.give(&effect).await?;
    commit.join_and_leave(&effect).await?;
    commit.end(marks).await
}

/// Another policy file in the place of the one before.
pub(crate) async fn publish(
    database: &Database,
    marks: &Marks,
    expected: Revision,
    policy: &PolicyText,
) -> Result<Revision, Failure> {
    let (form, text) = match policy {
        PolicyText::Toml(text) => ("toml", text),
        PolicyText::Json(text) => ("json", text),
        _ => return Err(SourceErrorKind::Unstorable.into()),
    };
    let mut commit = Commit::begin(database, marks, expected).await?;
    commit.number("policy", 0).await?;
    let query = commit
        .work
        .query(
            "INSERT INTO {schema}.policy_document (one, form, text) VALUES (true, $1, $2)
             ON CONFLICT (one) DO UPDATE SET form = excluded.form, text = excluded.text",
        )
        .bind(form)
        .bind(text);
    commit.work.execute(query).await?;
    commit.end(marks).await
}

/// Forgets the oldest commits, but never the last.
pub(crate) async fn trim(database: &Database, keep: u64) -> Result<u64, Failure> {
    let keep = i64::try_from(keep.max(1)).unwrap_or(i64::MAX);
    let mut work = database.begin().await?;
    let query = work
        .query(
            "DELETE FROM {schema}.policy_commits WHERE revision IN (
                 SELECT revision FROM {schema}.policy_commits
                 WHERE revision <= (SELECT revision FROM {schema}.policy_feed) - $1
                 ORDER BY revision LIMIT $2)",
        )
        .bind(keep)
        .bind(TRIM);
    let trimmed = work.execute(query).await?;
    work.commit().await?;
    Ok(trimmed)
}

/// A transaction that holds the feed's row: nobody else commits meanwhile.
struct Commit<'d> {
    work: Transaction<'d>,
    revision: i64,
    mark: Mark,
}

impl<'d> Commit<'d> {
    async fn begin(database: &'d Database, marks: &Marks, expected: Revision) -> Result<Self, Failure> {
        let mut work = database.begin().await?;
        let query = work.query("SELECT pg_is_in_recovery(), revision FROM {schema}.policy_feed FOR UPDATE");
        let row = work.one(query).await?.ok_or_else(damaged)?;
        must_be_primary(row.boolean(0)?)?;
        let last = row.revision(1)?;
        let at = i64::try_from(last.0).map_err(|_| damaged())?;
        let query = work.query("SELECT mark FROM {schema}.policy_commits WHERE revision = $1").bind(at);
        let mark = work.one(query).await?.ok_or_else(damaged)?.mark(0)?;
        // The same number may be another commit by now: what was seen is not what is there.
        let is_expected = last == expected && marks.of(expected).is_none_or(|seen| seen == mark);
        if !is_expected {
            work.undo().await?;
            return Err(SourceErrorKind::Conflict.into());
        }
        Ok(Self { work, revision: at.checked_add(1).ok_or_else(damaged)?, mark })
    }

    async fn number(&mut self, kind: &str, changes: usize) -> Result<(), Failure> {
        let query = self
            .work
            .query(
                "INSERT INTO {schema}.policy_commits (revision, mark, kind, changes)
                 VALUES ($1, uuid_send(gen_random_uuid()), $2, $3) RETURNING mark",
            )
            .bind(self.revision)
            .bind(kind)
            .bind(i64::try_from(changes).unwrap_or(i64::MAX));
        self.mark = self.work.one(query).await?.ok_or_else(damaged)?.mark(0)?;
        Ok(())
    }

    async fn log(&mut self, changes: &[Change]) -> Result<(), Failure> {
        let rows: Vec<LogRow<'_>> = changes.iter().map(LogRow::of).collect::<Result<_, _>>()?;
        let column = |of: fn(&LogRow<'_>) -> Option<String>| rows.iter().map(of).collect::<Vec<_>>();
        let time = |of: fn(&Assignment) -> Option<UnixTime>| {
            rows.iter().map(|row| row.assignment.and_then(of).map(UnixTime::as_nanos)).collect::<Vec<_>>()
        };
        let query = self
            .work
            .query(
                "INSERT INTO {schema}.policy_changes (revision, ordinal, kind, tenant, subject, group_name, role,
                     not_before, expires, granted_by, reason)
                 SELECT $1, t.ordinal, t.kind, t.tenant, t.subject, t.group_name, t.role,
                     t.not_before, t.expires, t.granted_by, t.reason
                 FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                     $7::bigint[], $8::bigint[], $9::text[], $10::text[])
                 WITH ORDINALITY AS t (kind, tenant, subject, group_name, role,
                     not_before, expires, granted_by, reason, ordinal)",
            )
            .bind(self.revision)
            .bind(column(|row| Some(row.kind.to_owned())))
            .bind(column(|row| Some(row.tenant.to_owned())))
            .bind(column(|row| row.subject.map(str::to_owned)))
            .bind(column(|row| row.group.map(str::to_owned)))
            .bind(column(|row| row.role.map(str::to_owned)))
            .bind(time(Assignment::starts))
            .bind(time(Assignment::ends))
            .bind(column(|row| row.assignment.and_then(Assignment::granter).map(str::to_owned)))
            .bind(column(|row| row.assignment.and_then(Assignment::reason).map(str::to_owned)));
        self.work.execute(query).await.map(drop)
    }

    async fn take(&mut self, effect: &Effect<'_>) -> Result<(), Failure> {
        if !effect.removed.is_empty() {
            let tenants: Vec<&str> = effect.removed.iter().map(|(tenant, _)| *tenant).collect();
            let subjects: Vec<&str> = effect.removed.iter().map(|(_, subject)| *subject).collect();
            for statement in [
                "DELETE FROM {schema}.policy_assignments a USING unnest($1::text[], $2::text[]) AS t (tenant, subject)
                 WHERE a.tenant = t.tenant AND a.holder = t.subject AND NOT a.is_group",
                "DELETE FROM {schema}.policy_members m USING unnest($1::text[], $2::text[]) AS t (tenant, subject)
                 WHERE m.tenant = t.tenant AND m.subject = t.subject",
            ] {
                let query = self.work.query(statement).bind(&tenants).bind(&subjects);
                self.work.execute(query).await?;
            }
        }
        let taken: Vec<_> =
            effect.assigned.iter().filter(|(_, given)| given.is_none()).map(|(key, _)| *key).collect();
        if !taken.is_empty() {
            let query = self
                .work
                .query(
                    "DELETE FROM {schema}.policy_assignments a
                     USING unnest($1::text[], $2::text[], $3::boolean[], $4::text[]) AS t (tenant, holder, is_group, role)
                     WHERE a.tenant = t.tenant AND a.holder = t.holder AND a.is_group = t.is_group AND a.role = t.role",
                )
                .bind(taken.iter().map(|key| key.0).collect::<Vec<_>>())
                .bind(taken.iter().map(|key| key.1).collect::<Vec<_>>())
                .bind(taken.iter().map(|key| key.2).collect::<Vec<_>>())
                .bind(taken.iter().map(|key| key.3).collect::<Vec<_>>());
            self.work.execute(query).await?;
        }
        Ok(())
    }

    async fn give(&mut self, effect: &Effect<'_>) -> Result<(), Failure> {
        let given: Vec<&Assignment> = effect.assigned.values().copied().flatten().collect();
        if given.is_empty() {
            return Ok(());
        }
        let nanos = |of: fn(&Assignment) -> Option<UnixTime>| -> Vec<Option<i64>> {
            given.iter().map(|new| of(new).map(UnixTime::as_nanos)).collect()
        };
        let query = self
            .work
            .query(
                "INSERT INTO {schema}.policy_assignments (tenant, holder, is_group, role,
                     not_before, expires, granted_by, reason)
                 SELECT * FROM unnest($1::text[], $2::text[], $3::boolean[], $4::text[],
                     $5::bigint[], $6::bigint[], $7::text[], $8::text[])
                 ON CONFLICT (tenant, holder, is_group, role) DO UPDATE SET not_before = excluded.not_before,
                     expires = excluded.expires, granted_by = excluded.granted_by, reason = excluded.reason",
            )
            .bind(given.iter().map(|new| new.tenant()).collect::<Vec<_>>())
            .bind(given.iter().map(|new| new.holder().name()).collect::<Vec<_>>())
            .bind(given.iter().map(|new| is_group(new.holder())).collect::<Vec<_>>())
            .bind(given.iter().map(|new| new.role()).collect::<Vec<_>>())
            .bind(nanos(Assignment::starts))
            .bind(nanos(Assignment::ends))
            .bind(given.iter().map(|new| new.granter()).collect::<Vec<_>>())
            .bind(given.iter().map(|new| new.reason()).collect::<Vec<_>>());
        self.work.execute(query).await.map(drop)
    }

    async fn join_and_leave(&mut self, effect: &Effect<'_>) -> Result<(), Failure> {
        for (is_member, statement) in [
            (
                false,
                "DELETE FROM {schema}.policy_members m
                 USING unnest($1::text[], $2::text[], $3::text[]) AS t (tenant, subject, group_name)
                 WHERE m.tenant = t.tenant AND m.subject = t.subject AND m.group_name = t.group_name",
            ),
            (
                true,
                "INSERT INTO {schema}.policy_members (tenant, subject, group_name)
                 SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING",
            ),
        ] {
            let of: Vec<_> =
                effect.members.iter().filter(|(_, is)| **is == is_member).map(|(key, _)| *key).collect();
            if !of.is_empty() {
                let query = self
                    .work
                    .query(statement)
                    .bind(of.iter().map(|key| key.0).collect::<Vec<_>>())
                    .bind(of.iter().map(|key| key.1).collect::<Vec<_>>())
                    .bind(of.iter().map(|key| key.2).collect::<Vec<_>>());
                self.work.execute(query).await?;
            }
        }
        Ok(())
    }

    async fn end(mut self, marks: &Marks) -> Result<Revision, Failure> {
        let query = self
            .work
            .query("UPDATE {schema}.policy_feed SET revision = $1 RETURNING pg_notify($2, '')")
            .bind(self.revision)
            .bind(channel(self.work.schema()).into_string());
        self.work.execute(query).await?;
        self.work.commit().await?;
        let revision = Revision(u64::try_from(self.revision).map_err(|_| damaged())?);
        marks.remember(revision, self.mark);
        Ok(revision)
    }
}

/// One change as a row of the log.
struct LogRow<'c> {
    kind: &'static str,
    tenant: &'c str,
    subject: Option<&'c str>,
    group: Option<&'c str>,
    role: Option<&'c str>,
    assignment: Option<&'c Assignment>,
}

impl<'c> LogRow<'c> {
    fn of(change: &'c Change) -> Result<Self, Failure> {
        let row = |kind, tenant, subject, group| Self {
            kind,
            tenant,
            subject,
            group,
            role: None,
            assignment: None,
        };
        let held = |kind, tenant: &'c str, holder: &'c bartizan_rbac::Holder, role: &'c str| {
            let name = Some(holder.name());
            let (subject, group) = if is_group(holder) { (None, name) } else { (name, None) };
            Self { role: Some(role), ..row(kind, tenant, subject, group) }
        };
        Ok(match change {
            Change::Assign(new) => {
                let row = held("assign", new.tenant(), new.holder(), new.role());
                Self { assignment: Some(new), ..row }
            }
            Change::Revoke { tenant, holder, role } => held("revoke", tenant, holder, role),
            Change::Join { tenant, group, subject } => row("join", tenant, Some(subject), Some(group)),
            Change::Leave { tenant, group, subject } => row("leave", tenant, Some(subject), Some(group)),
            Change::Remove { tenant, subject } => row("remove", tenant, Some(subject), None),
            _ => return Err(SourceErrorKind::Unstorable.into()),
        })
    }
}
