//! The sessions of whoever asks: which there are, and their ends.

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header::SET_COOKIE},
    response::{AppendHeaders, IntoResponse},
};
use bartizan::{
    core::UnixTime,
    http::{Code, SessionCookie},
    sessions::{By, Ended, SessionId},
};
use bartizan_axum::{Problem, Who};
use serde::Serialize;

use super::in_person;
use crate::Clinic;

/// Ends the session of the token or cookie that asks. On this clinic it is worth nothing from now on.
pub(super) async fn logout(
    State(clinic): State<Clinic>,
    Who(who): Who,
) -> Result<impl IntoResponse, Problem> {
    in_person(&who)?;
    let session = SessionId::parse(who.session().ok_or(Code::Forbidden)?)?;
    let (sessions, by) = (&clinic.inner().parts.sessions, By::principal(&who));
    sessions.end(who.tenant(), who.subject(), session.key, Ended::LoggedOut, &by).await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, SessionCookie::Lax.clear())])))
}

/// Ends all sessions of whoever asks, with all their access tokens.
pub(super) async fn logout_all(
    State(clinic): State<Clinic>,
    Who(who): Who,
) -> Result<impl IntoResponse, Problem> {
    in_person(&who)?;
    let sessions = &clinic.inner().parts.sessions;
    sessions.end_all(who.tenant(), who.subject(), &By::principal(&who)).await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, SessionCookie::Lax.clear())])))
}

/// The sessions that live, last used first.
pub(super) async fn list(State(clinic): State<Clinic>, Who(who): Who) -> Result<impl IntoResponse, Problem> {
    in_person(&who)?;
    let own = who.session().map(str::to_owned);
    let sessions = clinic.inner().parts.sessions.list(who.tenant(), who.subject()).await?;
    let lines = sessions.into_iter().map(|session| {
        let id = session.id.to_string();
        Line {
            is_this: own.as_ref() == Some(&id),
            id,
            kind: session.kind.as_str(),
            begun: session.begun.as_secs(),
            seen: session.seen.as_secs(),
            expires: UnixTime::min(session.expires, session.idle_expires).as_secs(),
            device: session.facts.device.name,
            address: session.facts.device.address,
        }
    });
    Ok(Json(List { sessions: lines.collect() }))
}

/// Times are seconds since 1970.
#[derive(Serialize)]
struct Line {
    id: String,
    kind: &'static str,
    begun: i64,
    seen: i64,
    expires: i64,
    device: Option<Box<str>>,
    address: Option<Box<str>>,
    #[serde(rename = "current")]
    is_this: bool,
}

#[derive(Serialize)]
struct List {
    sessions: Vec<Line>,
}

/// Ends one session of whoever asks. Somebody else's is not found.
pub(super) async fn end(
    State(clinic): State<Clinic>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    in_person(&who)?;
    let key = SessionId::parse(&id).map_err(|_| Code::NotFound)?.key;
    let (sessions, by) = (&clinic.inner().parts.sessions, By::principal(&who));
    let ended = sessions.end(who.tenant(), who.subject(), key, Ended::Revoked, &by).await?;
    if ended { Ok(StatusCode::NO_CONTENT) } else { Err(Code::NotFound.into()) }
}
