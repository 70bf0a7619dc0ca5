//! Roles of the others: who holds which, given and taken while they are logged in.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use bartizan::{
    core::UnixTime,
    http::{Code, FieldError, Problem as Answer, StepUp},
    rbac::{AdminError, AdminErrorKind, Administration, Assignment, Change, Holder},
};
use bartizan_axum::{Guarded, Problem, StrictJson};
use serde::{Deserialize, Serialize};

use super::{ASSIGN, in_person, recent_login};
use crate::{
    Clinic,
    accounts::Found,
    authenticate::{TWO_FACTORS, check_names},
};

/// A role without an end has no `days`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gift {
    user: String,
    role: String,
    #[serde(default)]
    days: Option<u32>,
    reason: String,
}

/// The longest time for which a role is given, if it is not for good.
const MOST_DAYS: u32 = 366;

/// The longest reason, in bytes.
pub(super) const MAX_REASON: usize = 200;

/// Everything that is assigned in the caller's tenant; what has ended stays until it is taken.
pub(super) async fn list(State(clinic): State<Clinic>, guarded: Guarded) -> impl IntoResponse {
    let assignments = clinic.inner().policy.snapshot().assignments(guarded.who().tenant());
    Json(List { roles: assignments.iter().map(Line::of).collect() })
}

#[derive(Serialize)]
struct List {
    roles: Vec<Line>,
}

/// Times are seconds since 1970.
#[derive(Serialize)]
pub(super) struct Line {
    user: String,
    role: String,
    from: Option<i64>,
    until: Option<i64>,
    granted_by: Option<String>,
    reason: Option<String>,
}

impl Line {
    pub(super) fn of(assignment: &Assignment) -> Self {
        Self {
            user: assignment.holder().name().to_owned(),
            role: assignment.role().to_owned(),
            from: assignment.starts().map(UnixTime::as_secs),
            until: assignment.ends().map(UnixTime::as_secs),
            granted_by: assignment.granter().map(str::to_owned),
            reason: assignment.reason().map(str::to_owned),
        }
    }
}

/// Gives somebody of the caller's tenant a role. It counts from their next request on.
pub(super) async fn give(
    State(clinic): State<Clinic>,
    guarded: Guarded,
    StrictJson(gift): StrictJson<Gift>,
) -> Result<StatusCode, Problem> {
    let who = guarded.who();
    check_names([("/user", &gift.user), ("/role", &gift.role)])?;
    if let Some(wrong) = misfit_reason(&gift.reason).or_else(|| misfit_days(gift.days)) {
        return Err(Answer::fields([wrong]).into());
    }
    let found = clinic.inner().accounts.find(who.tenant(), &gift.user);
    // SECURITY: a role that waits for a name would be had by whoever registers it.
    let has_account = matches!(
        found.await.map_err(|error| error.fault())?,
        Some(Found::Account(stored)) if stored.is_verified
    );
    let mut assignment = Assignment::new(who.tenant(), &*gift.user, gift.role).because(gift.reason);
    if let Some(days) = gift.days {
        let now = clinic.inner().parts.clock.wall();
        assignment = assignment.expires(now.saturating_add(DAY * days));
    }
    commit(&clinic, &guarded, &gift.user, has_account, Change::Assign(assignment)).await
}

/// Takes a role from somebody of the caller's tenant. It counts no more from their next request on.
pub(super) async fn take(
    State(clinic): State<Clinic>,
    guarded: Guarded,
    Path((user, role)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let tenant = guarded.who().tenant();
    let held = clinic.inner().policy.snapshot().assignments(tenant);
    let is_held = held.iter().any(|one| one.holder().name() == user && one.role() == role);
    let holder = Holder::Subject(user.as_str().into());
    let change = Change::Revoke { tenant: tenant.into(), holder, role: role.into() };
    commit(&clinic, &guarded, &user, is_held, change).await
}

/// Makes the change under a grant of the caller's. Whether there is such a thing is told to nobody else.
async fn commit(
    clinic: &Clinic,
    guarded: &Guarded,
    user: &str,
    exists: bool,
    change: Change,
) -> Result<StatusCode, Problem> {
    let who = guarded.who();
    in_person(who)?;
    let roles = Administration::roles_of(who.tenant());
    let grant = guarded.authorize(ASSIGN, roles).await?;
    // SECURITY: nobody is their own administrator.
    if user == who.subject() {
        return Err(Code::Forbidden.into());
    }
    if !exists {
        return Err(Code::NotFound.into());
    }
    let covered = grant.covers(roles).map_err(|_| Code::Internal)?;
    let committed = clinic.inner().parts.administration.commit(who, covered, &[change]).await;
    committed.map(|_| StatusCode::NO_CONTENT).map_err(|error| refused(&error))
}

/// What stands against a change, as an answer.
pub(super) fn refused(error: &AdminError) -> Problem {
    match error.kind() {
        AdminErrorKind::UnknownRole => {
            Answer::fields([FieldError::new("/role", "unknown", "must be a role")]).into()
        }
        AdminErrorKind::Escalation | AdminErrorKind::Eligibility => Code::Forbidden.into(),
        AdminErrorKind::Separation
        | AdminErrorKind::Prerequisite
        | AdminErrorKind::Holders
        | AdminErrorKind::Conflict => Code::Conflict.into(),
        AdminErrorKind::Bounds => Code::ValidationError.into(),
        AdminErrorKind::Proof => Answer::stepping_up(&second_factor()).into(),
        // The grant is one that was asked for here; nobody else gave it.
        AdminErrorKind::Grant | AdminErrorKind::TokenOnly => Code::Internal.into(),
        _ => error.fault().into(),
    }
}

/// A login of the last ten minutes with a second factor.
pub(super) fn second_factor() -> StepUp {
    recent_login().acr([TWO_FACTORS])
}

const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn misfit_reason(reason: &str) -> Option<FieldError> {
    let fits =
        !reason.trim().is_empty() && reason.len() <= MAX_REASON && !reason.chars().any(char::is_control);
    (!fits).then(|| FieldError::new("/reason", "invalid", "must be a line of 1 to 200 bytes"))
}

fn misfit_days(days: Option<u32>) -> Option<FieldError> {
    let fits = days.is_none_or(|days| (1..=MOST_DAYS).contains(&days));
    (!fits).then(|| FieldError::new("/days", "invalid", "must be between 1 and 366"))
}
