//! Logging in, and renewing what that gave.

use axum::{
    Json,
    extract::State,
    http::header::SET_COOKIE,
    response::{AppendHeaders, IntoResponse},
};
use bartizan::{
    core::{RawToken, SecretText},
    http::DeviceCookie,
    sessions::{RefreshToken, Session},
};
use bartizan_axum::{Client, ClientIp, DeviceMark, Problem, StrictJson, Who};
use serde::{Deserialize, Serialize};

use crate::{
    Clinic,
    authenticate::{self, DEVICE_LIVES, Shown, authenticate},
    wiring::ACCESS_LIVES,
};

/// Which program tokens are given to.
pub(super) const CLIENT: &str = "clinic-web";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    tenant: String,
    user: String,
    password: String,
    code: Option<String>,
}

/// An access token, and the refresh token by which the next one is had.
#[derive(Serialize)]
pub(super) struct Pair {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    refresh_token: String,
    refresh_expires_in: u64,
}

impl Pair {
    /// Of a session that just began or was renewed. Its roles are those of now.
    pub(super) fn of(clinic: &Clinic, mut session: Session, refresh: &RefreshToken) -> Result<Self, Problem> {
        let inner = clinic.inner();
        let roles = clinic.roles_of(&session.tenant, &session.subject);
        session.facts.roles = roles.into_iter().map(String::into_boxed_str).collect();
        let token = inner.parts.sessions.access_token(&session, inner.audience)?;
        let token = inner.parts.issuer.issue(&token).map_err(|error| error.fault())?;
        let left = session.expires.min(session.idle_expires).since(inner.parts.clock.wall());
        Ok(Self {
            access_token: token.expose().to_owned(),
            token_type: "Bearer",
            expires_in: ACCESS_LIVES.min(left).as_secs(),
            refresh_token: refresh.expose().to_owned(),
            refresh_expires_in: left.as_secs(),
        })
    }
}

/// A name, a password and a code of the second factor where there is one, for a pair of tokens.
pub(super) async fn login(
    State(clinic): State<Clinic>,
    client: Client,
    address: ClientIp,
    DeviceMark(device): DeviceMark,
    StrictJson(login): StrictJson<Login>,
) -> Result<impl IntoResponse, Problem> {
    let from = authenticate::From::new(&client, address);
    let (password, code) = (SecretText::new(login.password), login.code.map(SecretText::new));
    let shown = Shown { tenant: login.tenant, user: login.user, password, code, device };
    let who = authenticate(&clinic, from, shown).await?;
    let begun = clinic.inner().parts.sessions.begin(&who.session(&from, CLIENT), &from.by_owner()).await;
    let (session, refresh) = begun?;
    let device = DeviceCookie.set(&who.device_mark, DEVICE_LIVES)?;
    Ok((AppendHeaders([(SET_COOKIE, device)]), Json(Pair::of(&clinic, session, &refresh)?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refresh {
    refresh_token: String,
}

/// A refresh token for the next pair. One that was exchanged before ends the session: two parties hold it.
pub(super) async fn refresh(
    State(clinic): State<Clinic>,
    client: Client,
    address: ClientIp,
    StrictJson(Refresh { refresh_token }): StrictJson<Refresh>,
) -> Result<impl IntoResponse, Problem> {
    let by = authenticate::From::new(&client, address).by_owner();
    let shown = SecretText::new(refresh_token);
    let rotated = clinic.inner().parts.sessions.rotate(RawToken::new(shown.expose()), &by).await?;
    Ok(Json(Pair::of(&clinic, rotated.session, &rotated.token)?))
}

/// Who the credential says you are, and as what you count now.
pub(super) async fn me(State(clinic): State<Clinic>, Who(who): Who) -> impl IntoResponse {
    let snapshot = clinic.inner().policy.snapshot();
    let roles = snapshot.session_roles(&who, clinic.inner().parts.clock.wall());
    Json(Me {
        subject: who.subject().to_owned(),
        tenant: who.tenant().to_owned(),
        roles: roles.into_iter().map(Into::into).collect(),
    })
}

#[derive(Serialize)]
struct Me {
    subject: String,
    tenant: String,
    roles: Vec<Box<str>>,
}
