//! The audit log, for those who may read it.

use axum::{Json, extract::State, response::IntoResponse};
use bartizan::{
    audit::{Query, Reader, Report, VerifyOptions},
    core::Fault,
    http::FieldError,
};
use bartizan_axum::{Problem, StrictQuery, Who};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Clinic;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    from: u64,
    limit: Option<usize>,
    event: Option<String>,
    subject: Option<String>,
}

/// The most entries of one answer.
const MAX_ENTRIES: usize = 500;

/// Entries about the caller's own tenant, oldest first. `next` is where the next page begins, if there may be one.
pub(super) async fn query(
    State(clinic): State<Clinic>,
    Who(who): Who,
    StrictQuery(wanted): StrictQuery<Wanted>,
) -> Result<impl IntoResponse, Problem> {
    let limit = wanted.limit.unwrap_or(100);
    if !(1..=MAX_ENTRIES).contains(&limit) {
        let wrong = FieldError::new("/limit", "invalid", "must be between 1 and 500");
        return Err(bartizan::http::Problem::fields([wrong]).into());
    }
    let mut query = Query::new().from(wanted.from).tenant(who.tenant()).limit(limit);
    if let Some(event) = &wanted.event {
        query = query.event(event);
    }
    if let Some(subject) = &wanted.subject {
        query = query.subject(subject);
    }
    let read = tokio::task::spawn_blocking(move || {
        // What was recorded so far is to be seen, also what is not durable yet.
        clinic.inner().log.flush()?;
        let reader = Reader::open(&clinic.inner().folder.audit())?;
        reader.entries(query)?.collect::<Result<Vec<_>, _>>()
    });
    let entries = joined(read.await)?.map_err(|error| error.fault())?;
    let next = entries.last().filter(|_| entries.len() == limit).map(|entry| entry.index() + 1);
    let lines: Vec<Box<RawValue>> =
        entries.into_iter().filter_map(|entry| RawValue::from_string(entry.to_line()).ok()).collect();
    Ok(Json(Page { entries: lines, next }))
}

/// Verifies the whole log against its signed checkpoints.
pub(super) async fn verify(State(clinic): State<Clinic>) -> Result<impl IntoResponse, Problem> {
    let verified = tokio::task::spawn_blocking(move || {
        let inner = clinic.inner();
        inner.log.checkpoint()?;
        let options = VerifyOptions::new(inner.provider.clone()).trusting(inner.checkpoint_key.clone());
        bartizan::audit::verify(&inner.folder.audit(), &options)
    });
    let report = joined(verified.await)?.map_err(|error| error.fault())?;
    Ok(Json(Verified { ok: report.verdict().is_consistent(), summary: report.to_string(), report }))
}

/// Entries as they are stored, to the byte.
#[derive(Serialize)]
struct Page {
    entries: Vec<Box<RawValue>>,
    next: Option<u64>,
}

#[derive(Serialize)]
struct Verified {
    ok: bool,
    summary: String,
    report: Report,
}

fn joined<T>(task: Result<T, tokio::task::JoinError>) -> Result<T, Problem> {
    task.map_err(|_| Fault::Bug.into())
}
