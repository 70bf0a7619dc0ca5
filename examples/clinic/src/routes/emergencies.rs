//! Emergencies: who is eligible gives themselves more for a while, and somebody else looks at it afterwards.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use bartizan::{
    http::{Code, FieldError, Problem as Answer},
    rbac::Administration,
};
use bartizan_axum::{Guarded, Problem, StrictJson, Who};
use serde::{Deserialize, Serialize};

use super::{
    ASSIGN, in_person,
    roles::{Line, misfit_reason, refused},
};
use crate::{Clinic, roles::EMERGENCY};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Emergency {
    minutes: u32,
    reason: String,
}

/// As long as any emergency may last; the policy may say less.
const MOST_MINUTES: u32 = 60;

/// Gives the caller the role for emergencies, if the policy says that they are eligible. It is on record before it counts.
pub(super) async fn declare(
    State(clinic): State<Clinic>,
    Who(who): Who,
    StrictJson(Emergency { minutes, reason }): StrictJson<Emergency>,
) -> Result<StatusCode, Problem> {
    in_person(&who)?;
    let misfit_minutes = (!(1..=MOST_MINUTES).contains(&minutes))
        .then(|| FieldError::new("/minutes", "invalid", "must be between 1 and 60"));
    let wrong: Vec<FieldError> = misfit_minutes.into_iter().chain(misfit_reason(&reason)).collect();
    if !wrong.is_empty() {
        return Err(Answer::fields(wrong).into());
    }
    let lasting = Duration::from_secs(60) * minutes;
    let broken = clinic.inner().parts.administration.break_glass(&who, EMERGENCY, lasting, &reason).await;
    broken.map(|_| StatusCode::CREATED).map_err(|error| refused(&error))
}

/// The emergencies of the caller's tenant that nobody has reviewed yet, ended ones too.
pub(super) async fn unreviewed(State(clinic): State<Clinic>, guarded: Guarded) -> impl IntoResponse {
    let uses = clinic.inner().parts.administration.unreviewed(guarded.who().tenant());
    Json(List { emergencies: uses.iter().map(|one| Line::of(&one.assignment)).collect() })
}

#[derive(Serialize)]
struct List {
    emergencies: Vec<Line>,
}

/// Closes the review of somebody else's emergency, which ends with it if it has not ended yet.
pub(super) async fn review(
    State(clinic): State<Clinic>,
    guarded: Guarded,
    Path(user): Path<String>,
) -> Result<StatusCode, Problem> {
    let who = guarded.who();
    in_person(who)?;
    let roles = Administration::roles_of(who.tenant());
    let grant = guarded.authorize(ASSIGN, roles).await?;
    let administration = &clinic.inner().parts.administration;
    // Who asks for their own is refused below, and told nothing else.
    let is_use = |one: &bartizan::rbac::GlassUse| one.assignment.holder().name() == user;
    if user != who.subject() && !administration.unreviewed(who.tenant()).iter().any(is_use) {
        return Err(Code::NotFound.into());
    }
    let covered = grant.covers(roles).map_err(|_| Code::Internal)?;
    let reviewed = administration.review(who, covered, &user, EMERGENCY).await;
    reviewed.map(|_| StatusCode::NO_CONTENT).map_err(|error| refused(&error))
}
