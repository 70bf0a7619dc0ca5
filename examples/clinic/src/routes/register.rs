//! Registering, and verifying the address that was given.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use bartizan::{
    audit_events::Event,
    core::{Fault, Outcome, RawToken, SecretText},
    http::{Code, FieldError, Problem as Answer},
    passwords::{About as AboutUser, AcceptedPassword, Assessment, PasswordHash, PasswordPolicy},
    sessions::Purpose,
};
use bartizan_axum::{Client, ClientIp, Problem, StrictJson};
use serde::Deserialize;
use serde_json::json;

use crate::{
    Clinic,
    accounts::{Account, Found},
    authenticate::{From, check_names},
    clinic::SERVICE,
    note::About,
    private::Private,
};

/// What whoever registers is: a patient.
const MEMBER: &str = "member";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Registration {
    tenant: String,
    user: String,
    email: String,
    password: String,
}

/// One answer whether the name is free or taken, after the same work: what else there is to do is done when it has left.
pub(super) async fn register(
    State(clinic): State<Clinic>,
    StrictJson(Registration { tenant, user, email, password }): StrictJson<Registration>,
) -> Result<impl IntoResponse, Problem> {
    check_names([("/tenant", &tenant), ("/user", &user)])?;
    let wrong: Vec<FieldError> = [misfit_name(&user), misfit_email(&email)].into_iter().flatten().collect();
    if !wrong.is_empty() {
        return Err(Answer::fields(wrong).into());
    }
    let password = accepted("/password", SecretText::new(password), &user, &email)?;
    let inner = clinic.inner();
    // SECURITY: looked up for a free name and for a taken one, so that an outage is told to both, and nothing else to either.
    inner.accounts.find(&tenant, &user).await.map_err(|error| error.fault())?;
    let has_tenant = inner.accounts.has_tenant(&tenant).await.map_err(|error| error.fault())?;
    let hash = hashed(&clinic, password).await?;
    if has_tenant {
        let row = inner.parts.vault.seal(&Private::of(&tenant, &user, &email)).await;
        let row = row.map_err(|error| error.fault())?;
        clinic.register(Account { tenant, user, role: MEMBER.to_owned(), hash }, row, email)?;
    }
    Ok((StatusCode::ACCEPTED, Json(json!({ "detail": "If the name is free, a mail is on its way." }))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Verification {
    token: String,
}

/// Uses up the token that was mailed: its account can log in from now on.
pub(super) async fn verify_email(
    State(clinic): State<Clinic>,
    client: Client,
    address: ClientIp,
    StrictJson(Verification { token }): StrictJson<Verification>,
) -> Result<StatusCode, Problem> {
    let inner = clinic.inner();
    let (token, by) = (SecretText::new(token), From::new(&client, address).by_owner());
    let once = inner.parts.sessions.one_time();
    let taken = once.take(RawToken::new(token.expose()), Purpose::EMAIL_VERIFICATION, &by).await;
    let taken = taken.map_err(not_believed)?;
    let (tenant, user) = (&*taken.tenant, &*taken.subject);
    let found = inner.accounts.find(tenant, user).await.map_err(|error| error.fault())?;
    let Some(Found::Account(stored)) = found else { return Err(Code::InvalidCredentials.into()) };
    if clinic.registration(&stored.hash) != *taken.data {
        return Err(Code::InvalidCredentials.into());
    }
    let at = inner.accounts.verified(tenant, user, &stored.hash).await.map_err(|error| error.fault())?;
    clinic.knows_roles_of(at.ok_or(Code::InvalidCredentials)?).await?;
    let about = About::mailed(tenant, user, client.origin(SERVICE));
    clinic.note_account(Event::AUTHZ_CHANGE, Outcome::Success, about, Some("address_verified"))?;
    Ok(StatusCode::NO_CONTENT)
}

/// A token that was mailed and is not believed: 401, and not the end of a session.
pub(super) fn not_believed(error: bartizan::sessions::Error) -> Problem {
    match error.kind() {
        bartizan::sessions::ErrorKind::Refused => Code::InvalidToken.into(),
        _ => error.fault().into(),
    }
}

/// A new password, if it may be one: all that is wrong with it is said at once.
pub(super) fn accepted(
    pointer: &'static str,
    password: SecretText,
    user: &str,
    email: &str,
) -> Result<AcceptedPassword, Problem> {
    let about = AboutUser::nobody().user_name(user).email(email);
    let policy = PasswordPolicy::nist().with_words(["bartizan", "clinic"]);
    match policy.assess(&password, &about).map_err(|error| error.fault())? {
        Assessment::Accepted(password) => Ok(password),
        Assessment::Refused(violations) => {
            let wrong = violations.iter().map(|violation| match violation.code() {
                "too_short" => FieldError::new(pointer, "too_short", "must have at least 15 characters"),
                code => FieldError::new(pointer, code, "must be harder to guess"),
            });
            Err(Answer::fields(wrong).into())
        }
    }
}

/// Off the threads that answer others.
pub(super) async fn hashed(clinic: &Clinic, password: AcceptedPassword) -> Result<PasswordHash, Problem> {
    let passwords = Arc::clone(&clinic.inner().parts.passwords);
    let hashed = tokio::task::spawn_blocking(move || passwords.hash_accepted(&password)).await;
    Ok(hashed.map_err(|_| Fault::Bug)?.map_err(|error| error.fault())?)
}

/// Names that look like nothing else: 3 to 32 small letters, digits, dots, hyphens and underscores.
fn misfit_name(name: &str) -> Option<FieldError> {
    let is_name = (3..=32).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_'));
    let message = "must be 3 to 32 of a to z, 0 to 9, dot, hyphen and underscore, beginning with a letter";
    (!is_name).then(|| FieldError::new("/user", "invalid", message))
}

/// Whether mail can be sent there, the mail itself finds out.
fn misfit_email(email: &str) -> Option<FieldError> {
    let is_address = email.len() <= 254
        && email.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && domain.contains('.') && !domain.contains('@') && !domain.ends_with('.')
        })
        && email.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b',' | b';' | b'"'));
    (!is_address)
        .then(|| FieldError::new("/email", "invalid", "must be an address such as ada@clinic.example"))
}
