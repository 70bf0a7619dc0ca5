//! Changing a password, and setting a new one without the old.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use bartizan::{
    audit_events::Event,
    core::{Outcome, RawToken, SecretText},
    http::Code,
    passwords::PasswordHash,
    sessions::{By, Login, Purpose},
};
use bartizan_axum::{Client, ClientIp, Problem, StrictJson, Who};
use serde::Deserialize;
use serde_json::json;

use super::{
    in_person,
    register::{accepted, hashed, not_believed},
    session::{CLIENT, Pair},
};
use crate::{
    Clinic,
    accounts::Found,
    authenticate::{From, check_names, prove_again},
    clinic::SERVICE,
    note::About,
};

/// What is told to have changed.
const PASSWORD: &str = "password";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    old: String,
    new: String,
}

/// Another password: every session of the account ends, this one too, and a new one begins.
pub(super) async fn change(
    State(clinic): State<Clinic>,
    client: Client,
    address: ClientIp,
    Who(who): Who,
    StrictJson(Change { old, new }): StrictJson<Change>,
) -> Result<impl IntoResponse, Problem> {
    in_person(&who)?;
    let from = From::new(&client, address);
    let stored = prove_again(&clinic, from, &who, &Arc::new(SecretText::new(old))).await?;
    let hash = hashed(&clinic, accepted("/new", SecretText::new(new), who.subject(), "")?).await?;
    let (tenant, user) = (who.tenant(), who.subject());
    replace(&clinic, (tenant, user), Some(&stored.hash), &hash, &By::principal(&who)).await?;
    clinic.note_account(Event::AUTHN_PASSWORD_CHANGE, Outcome::Success, About::known(&who), None)?;
    clinic.mail_changed(tenant, user, PASSWORD)?;
    renewed(&clinic, from, &who).await.map(Json)
}

/// A new session in the place of those that ended, of somebody who proved just as much as before.
pub(super) async fn renewed(
    clinic: &Clinic,
    from: From<'_>,
    who: &bartizan::core::Principal,
) -> Result<Pair, Problem> {
    let mut login = Login::new(who.tenant(), who.subject())
        .roles(who.roles().iter())
        .amr(who.amr().iter())
        .client(CLIENT)
        .device(from.device());
    if let Some(acr) = who.acr() {
        login = login.acr(acr);
    }
    let (session, refresh) = clinic.inner().parts.sessions.begin(&login, &from.by_owner()).await?;
    Pair::of(clinic, session, &refresh)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Forgotten {
    tenant: String,
    user: String,
}

/// One answer whether there is such an account or not; everything else happens when it has left.
pub(super) async fn forgotten(
    State(clinic): State<Clinic>,
    StrictJson(Forgotten { tenant, user }): StrictJson<Forgotten>,
) -> Result<impl IntoResponse, Problem> {
    check_names([("/tenant", &tenant), ("/user", &user)])?;
    clinic.mail_reset(tenant, user)?;
    let answer = json!({ "detail": "If there is such an account with an address, a mail is on its way." });
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reset {
    tenant: String,
    user: String,
    token: String,
    new: String,
}

/// Sets a new password with the token that was mailed. Nobody is logged in by that: a second factor is still asked for.
pub(super) async fn reset(
    State(clinic): State<Clinic>,
    client: Client,
    address: ClientIp,
    StrictJson(Reset { tenant, user, token, new }): StrictJson<Reset>,
) -> Result<StatusCode, Problem> {
    check_names([("/tenant", &tenant), ("/user", &user)])?;
    // Before the token is used up: whoever has to think of a better password shall not need a second mail.
    let new = accepted("/new", SecretText::new(new), &user, "")?;
    let (token, by) = (SecretText::new(token), From::new(&client, address).by_owner());
    let once = clinic.inner().parts.sessions.one_time();
    let taken = once.take(RawToken::new(token.expose()), Purpose::PASSWORD_RESET, &by).await;
    let taken = taken.map_err(not_believed)?;
    if (&*taken.tenant, &*taken.subject) != (tenant.as_str(), user.as_str()) {
        return Err(Code::InvalidToken.into());
    }
    let found = clinic.inner().accounts.find(&tenant, &user).await.map_err(|error| error.fault())?;
    let Some(Found::Account(stored)) = found else { return Err(Code::InvalidToken.into()) };
    let hash = hashed(&clinic, new).await?;
    replace(&clinic, (&tenant, &user), Some(&stored.hash), &hash, &by).await?;
    let about = About::mailed(&tenant, &user, client.origin(SERVICE));
    clinic.note_account(Event::PASSWORD_RESET, Outcome::Success, about, None)?;
    clinic.mail_changed(&tenant, &user, PASSWORD)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stores another password and ends everything that the old one began.
async fn replace(
    clinic: &Clinic,
    (tenant, user): (&str, &str),
    old: Option<&PasswordHash>,
    new: &PasswordHash,
    by: &By<'_>,
) -> Result<(), Problem> {
    let inner = clinic.inner();
    // SECURITY: before, so that an outage in the middle leaves no session that the old password began; and after, for whoever
    // logged in with the old one meanwhile.
    inner.parts.sessions.credential_changed(tenant, user, by).await?;
    let changed = inner.accounts.set_password(tenant, user, old, new).await.map_err(|error| error.fault())?;
    inner.parts.sessions.credential_changed(tenant, user, by).await?;
    if changed { Ok(()) } else { Err(Code::Conflict.into()) }
}
