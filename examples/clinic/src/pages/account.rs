//! The pages of whoever is signed in: who they are; and, shortly after they signed in, where else they are, and the buttons that end that.

use axum::{
    extract::State,
    http::header::SET_COOKIE,
    response::{AppendHeaders, IntoResponse},
};
use bartizan::{
    core::{Attestation, Principal},
    http::{Code, SafeRedirect, SessionCookie},
    sessions::{By, Ended, Session, SessionId},
};
use bartizan_axum::{Page, Problem, SeeOther, StrictForm, StrictQuery, Who};
use serde::Deserialize;

use super::{
    view::{self, Home, OTHERS, Row, Said, Sessions},
    words::device_name,
};
use crate::Clinic;

/// Who somebody is.
pub(super) async fn show(Who(who): Who) -> Result<Page, Problem> {
    own_session(&who)?;
    Ok(Page::new(view::home(&Home { tenant: who.tenant(), user: who.subject() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    done: Option<Done>,
}

/// What was just done.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Done {
    Ended,
}

/// Where they are signed in.
pub(super) async fn sessions(
    State(clinic): State<Clinic>,
    Who(who): Who,
    StrictQuery(Asked { done }): StrictQuery<Asked>,
) -> Result<Page, Problem> {
    let own = own_session(&who)?;
    let parts = &clinic.inner().parts;
    let sessions = parts.sessions.list(who.tenant(), who.subject()).await?;
    let mut rows: Vec<Row<'_>> = sessions.iter().map(|session| row(session, own)).collect();
    // This one first, then as they were used.
    rows.sort_by_key(|row| !row.is_this);
    let said = done.map(|Done::Ended| Said::Notice("Ended. Nobody is signed in there any more."));
    Ok(Page::new(view::sessions(&Sessions { said, now: parts.clock.wall(), rows: &rows })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    session: String,
}

/// Ends one of one's own sessions, or all but this one. Somebody else's is not found.
pub(super) async fn end(
    State(clinic): State<Clinic>,
    Who(who): Who,
    StrictForm(End { session }): StrictForm<End>,
) -> Result<SeeOther, Problem> {
    let own = own_session(&who)?;
    let (sessions, by) = (&clinic.inner().parts.sessions, By::principal(&who));
    if session == OTHERS {
        sessions.end_others(who.tenant(), who.subject(), own.key, &by).await?;
    } else {
        let key = SessionId::parse(&session).map_err(|_| Code::NotFound)?.key;
        // One that ended meanwhile is what was asked for.
        sessions.end(who.tenant(), who.subject(), key, Ended::Revoked, &by).await?;
    }
    Ok(SeeOther(SafeRedirect::parse("/home/sessions?done=ended")?))
}

/// Signs out here.
pub(super) async fn leave(State(clinic): State<Clinic>, Who(who): Who) -> Result<impl IntoResponse, Problem> {
    let own = own_session(&who)?;
    let (sessions, by) = (&clinic.inner().parts.sessions, By::principal(&who));
    sessions.end(who.tenant(), who.subject(), own.key, Ended::LoggedOut, &by).await?;
    let gone = SafeRedirect::parse("/signin?signed=out")?;
    Ok((AppendHeaders([(SET_COOKIE, SessionCookie::Lax.clear())]), SeeOther(gone)))
}

/// The browser's session. Programs, which have tokens and keys, have routes of their own.
fn own_session(who: &Principal) -> Result<SessionId, Problem> {
    match (who.how(), who.session()) {
        (Attestation::Session, Some(session)) => Ok(SessionId::parse(session)?),
        _ => Err(Code::Forbidden.into()),
    }
}

fn row(session: &Session, own: SessionId) -> Row<'_> {
    let device = &session.facts.device;
    Row {
        id: session.id.to_string(),
        device: device_name(device.name.as_deref()),
        address: device.address.as_deref(),
        begun: session.begun,
        seen: session.seen,
        is_this: session.id.key == own.key,
    }
}
