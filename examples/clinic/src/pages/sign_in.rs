//! The form that a session is had by.

use axum::{
    extract::State,
    http::{HeaderValue, header::SET_COOKIE},
    response::{AppendHeaders, IntoResponse, Response},
};
use bartizan::{
    core::{RawToken, SecretText},
    http::{DeviceCookie, SafeRedirect, SessionCookie},
};
use bartizan_axum::{
    Client, ClientIp, DeviceMark, OldSession, Page, Problem, SeeOther, StrictForm, StrictQuery,
};
use serde::Deserialize;

use super::{
    home,
    problems::said,
    view::{self, Said, SignIn},
};
use crate::{
    Clinic,
    authenticate::{self, DEVICE_LIVES, Shown, authenticate},
};

/// Which program sessions are given to.
const CLIENT: &str = "clinic-pages";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    next: Option<String>,
    signed: Option<Signed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Signed {
    Out,
}

/// What is typed. The fields are those of the form, each once; it has no others.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    next: String,
    tenant: String,
    user: String,
    password: String,
    code: String,
}

/// The empty form.
pub(super) async fn show(StrictQuery(Asked { next, signed }): StrictQuery<Asked>) -> Page {
    let said = signed.map(|Signed::Out| Said::Notice("You have signed out."));
    let next = leading_on(next.as_deref().unwrap_or_default());
    Page::new(view::sign_in(&SignIn { said, next: &next, tenant: "", user: "" }))
}

/// A session for whoever shows name, password and, where there is a second factor, its code; for everybody else the form once more.
pub(super) async fn enter(
    State(clinic): State<Clinic>,
    client: Client,
    address: ClientIp,
    DeviceMark(device): DeviceMark,
    OldSession(old): OldSession,
    StrictForm(form): StrictForm<Form>,
) -> Response {
    let next = leading_on(&form.next);
    let typed = (form.tenant.clone(), form.user.clone());
    let code = Some(form.code).filter(|code| !code.is_empty()).map(SecretText::new);
    let password = SecretText::new(form.password);
    let shown = Shown { tenant: form.tenant, user: form.user, password, code, device };
    let from = authenticate::From::new(&client, address);
    match begin(&clinic, from, shown, old.as_ref()).await {
        Ok(cookies) => {
            (AppendHeaders(cookies.map(|cookie| (SET_COOKIE, cookie))), SeeOther(next)).into_response()
        }
        Err(Problem(problem)) => {
            let (tenant, user) = &typed;
            let again = SignIn { said: Some(said(&problem)), next: &next, tenant, user };
            Page::of(problem, view::sign_in(&again)).into_response()
        }
    }
}

/// The cookies of a session that begins.
async fn begin(
    clinic: &Clinic,
    from: authenticate::From<'_>,
    shown: Shown,
    old: Option<&SecretText>,
) -> Result<[HeaderValue; 2], Problem> {
    let who = authenticate(clinic, from, shown).await?;
    // SECURITY: the session that the browser had until now ends, whoever's it was. Else somebody who knows it, because they put it
    // there, would go on with it beside its new owner (session fixation).
    let login = who.session(&from, CLIENT).instead_of(old.map(|old| RawToken::new(old.expose())));
    let parts = &clinic.inner().parts;
    let (session, token) = parts.sessions.login(&login, &from.by_owner()).await?;
    let lives = session.expires.since(parts.clock.wall());
    Ok([SessionCookie::Lax.set(token.secret(), lives)?, DeviceCookie.set(&who.device_mark, DEVICE_LIVES)?])
}

/// Where somebody goes on to: a place of this clinic, or home.
fn leading_on(next: &str) -> SafeRedirect {
    SafeRedirect::parse(next).unwrap_or_else(|_| home())
}
