//! Logging in.

use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use bartizan::{
    audit_events::Event,
    core::{Fault, Origin, Outcome, SecretText, Subject, Target},
    http::{Code, FieldError},
    passwords::{ErrorKind, Verification},
    tokens::AccessToken,
};
use bartizan_axum::{Client, Problem, StrictJson, Who};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Clinic, accounts::Found, clinic::SERVICE};

/// How long an access token lives, in seconds.
const LIFETIME: u64 = 15 * 60;

/// Longest name of a tenant or user, in bytes.
const MAX_NAME: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    tenant: String,
    user: String,
    password: String,
}

/// Unknown tenant, unknown user and wrong password look alike and take alike.
pub(super) async fn login(
    State(clinic): State<Clinic>,
    client: Client,
    StrictJson(Login { tenant, user, password }): StrictJson<Login>,
) -> Result<impl IntoResponse, Problem> {
    check([("/tenant", &tenant), ("/user", &user)])?;
    let found = clinic.inner().accounts.find(&tenant, &user).await.map_err(|error| error.fault())?;
    let (role, hash) = match found {
        Some(Found::Account { role, hash }) => (Some(role), Some(hash)),
        Some(Found::Damaged) => return Err(Fault::Integrity.into()),
        None => (None, None),
    };
    let password = SecretText::new(password);
    let passwords = Arc::clone(&clinic.inner().parts.passwords);
    let checked = tokio::task::spawn_blocking(move || passwords.verify(&password, hash.as_ref()));
    let verification = match checked.await {
        Ok(Ok(verification)) => verification,
        Ok(Err(error)) if matches!(error.kind(), ErrorKind::Empty | ErrorKind::TooLong) => {
            Verification::Mismatch
        }
        Ok(Err(error)) => return Err(error.fault().into()),
        Err(_) => return Err(Fault::Bug.into()),
    };
    let origin = client.origin(SERVICE);
    let claimed = Subject::Claimed { tenant: &tenant, subject: &user };
    match (verification, role) {
        (Verification::Match { .. }, Some(role)) => {
            note(&clinic, Event::AUTHN_LOGIN_SUCCESS, Outcome::Success, claimed, origin)?;
            let token =
                AccessToken::new(user, clinic.inner().audience, "clinic-web").tenant(tenant).roles([role]);
            let token = clinic.inner().parts.issuer.issue(&token).map_err(|error| error.fault())?;
            Ok(Json(
                json!({ "access_token": token.expose(), "token_type": "Bearer", "expires_in": LIFETIME }),
            ))
        }
        _ => {
            note(&clinic, Event::FAILED_LOGIN, Outcome::Failure, claimed, origin)?;
            Err(Code::InvalidCredentials.into())
        }
    }
}

/// Who the token says you are.
pub(super) async fn me(Who(who): Who) -> impl IntoResponse {
    Json(Me {
        subject: who.subject().to_owned(),
        tenant: who.tenant().to_owned(),
        roles: who.roles().iter().map(Into::into).collect(),
    })
}

#[derive(Serialize)]
struct Me {
    subject: String,
    tenant: String,
    roles: Vec<Box<str>>,
}

/// What was claimed is put on record: it has to be a name that an account could have.
fn check(names: [(&'static str, &String); 2]) -> Result<(), Problem> {
    let wrong = names.into_iter().filter_map(|(pointer, name)| match name.len() {
        0 => Some(FieldError::new(pointer, "required", "must not be empty")),
        1..=MAX_NAME if !name.chars().any(char::is_control) => None,
        1..=MAX_NAME => Some(FieldError::new(pointer, "invalid", "must not have control characters")),
        _ => Some(FieldError::new(pointer, "too_long", "must not be over 64 bytes")),
    });
    let wrong: Vec<FieldError> = wrong.collect();
    if wrong.is_empty() { Ok(()) } else { Err(bartizan::http::Problem::fields(wrong).into()) }
}

fn note(
    clinic: &Clinic,
    event: Event,
    outcome: Outcome,
    who: Subject<'_>,
    origin: Origin<'_>,
) -> Result<(), Problem> {
    let parts = &clinic.inner().parts;
    let fact =
        event.fact(outcome, parts.clock.wall(), who, Target::Named { kind: "route", name: "/login" }, origin);
    match parts.recorder.record(&fact) {
        Ok(_) => Ok(()),
        Err(_) => Err(Code::ServiceUnavailable.into()),
    }
}
