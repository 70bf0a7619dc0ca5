//! API keys of whoever asks: for programs that act for them, and may less.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use bartizan::{
    core::Principal,
    http::{Code, FieldError, Problem as Answer},
    sessions::{ApiKey, By, KeyId, NewKey, StoredKey},
};
use bartizan_axum::{Problem, StrictJson, Who};
use serde::{Deserialize, Serialize};

use super::in_person;
use crate::{Clinic, roles::EMERGENCY};

const DAY: Duration = Duration::from_secs(86_400);

/// The longest life of a key, and the longest time for which a replaced one goes on, in days.
const MOST_DAYS: u32 = 366;
const MOST_OVERLAP: u32 = 30;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    name: String,
    scopes: Vec<String>,
    days: u32,
}

/// Makes a key. Its scopes are roles: the caller's own, or `staff` for whoever works here.
pub(super) async fn make(
    State(clinic): State<Clinic>,
    Who(who): Who,
    StrictJson(New { name, scopes, days }): StrictJson<New>,
) -> Result<impl IntoResponse, Problem> {
    in_person(&who)?;
    let wrong: Vec<FieldError> =
        [misfit_name(&name), misfit_scopes(&clinic, &who, &scopes), misfit_days("/days", days, 1, MOST_DAYS)]
            .into_iter()
            .flatten()
            .collect();
    if !wrong.is_empty() {
        return Err(Answer::fields(wrong).into());
    }
    let new = NewKey::new(who.tenant(), who.subject(), &name).scopes(scopes).lives(DAY * days);
    let (stored, key) = clinic.inner().parts.api_keys.make(&new, &By::principal(&who)).await?;
    Ok((StatusCode::CREATED, Json(Made::of(stored, &key))))
}

/// Without the keys themselves: nobody has them but who was given them.
pub(super) async fn list(State(clinic): State<Clinic>, Who(who): Who) -> Result<impl IntoResponse, Problem> {
    in_person(&who)?;
    let keys = clinic.inner().parts.api_keys.list(who.tenant(), who.subject()).await?;
    Ok(Json(List { api_keys: keys.into_iter().map(Line::of).collect() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotate {
    days: u32,
    overlap_days: u32,
}

/// Puts a new key of the same name and scopes in the place of an old one, which goes on for some days.
pub(super) async fn rotate(
    State(clinic): State<Clinic>,
    Who(who): Who,
    Path(id): Path<String>,
    StrictJson(Rotate { days, overlap_days }): StrictJson<Rotate>,
) -> Result<impl IntoResponse, Problem> {
    in_person(&who)?;
    let wrong = [
        misfit_days("/days", days, 1, MOST_DAYS),
        misfit_days("/overlap_days", overlap_days, 0, MOST_OVERLAP),
    ];
    let wrong: Vec<FieldError> = wrong.into_iter().flatten().collect();
    if !wrong.is_empty() {
        return Err(Answer::fields(wrong).into());
    }
    let keys = &clinic.inner().parts.api_keys;
    let own = keys.list(who.tenant(), who.subject()).await?;
    let old = own.iter().find(|key| key.id.to_string() == id).ok_or(Code::NotFound)?;
    let scopes: Vec<String> = old.scopes.iter().map(|scope| (**scope).to_owned()).collect();
    // Somebody who is no doctor any more gets no new key of a doctor.
    if misfit_scopes(&clinic, &who, &scopes).is_some() {
        return Err(Code::Conflict.into());
    }
    let new = NewKey::new(who.tenant(), who.subject(), &old.name).scopes(scopes).lives(DAY * days);
    let replaced = keys.replace(old.id, DAY * overlap_days, &new, &By::principal(&who)).await?;
    let (stored, key) = replaced.ok_or(Code::NotFound)?;
    Ok((StatusCode::CREATED, Json(Made::of(stored, &key))))
}

/// Ends a key at once.
pub(super) async fn end(
    State(clinic): State<Clinic>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    in_person(&who)?;
    let id = key_id(&id).ok_or(Code::NotFound)?;
    let keys = &clinic.inner().parts.api_keys;
    let ended = keys.end(who.tenant(), who.subject(), id, &By::principal(&who)).await?;
    if ended { Ok(StatusCode::NO_CONTENT) } else { Err(Code::NotFound.into()) }
}

/// Times are seconds since 1970.
#[derive(Serialize)]
struct Line {
    id: String,
    name: Box<str>,
    scopes: Vec<Box<str>>,
    made: i64,
    expires: i64,
    used: Option<i64>,
    ended: Option<i64>,
}

impl Line {
    fn of(key: StoredKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name,
            scopes: key.scopes,
            made: key.made.as_secs(),
            expires: key.expires.as_secs(),
            used: key.used.map(|at| at.as_secs()),
            ended: key.ended.map(|at| at.as_secs()),
        }
    }
}

#[derive(Serialize)]
struct List {
    api_keys: Vec<Line>,
}

/// A key with its text, which is shown this once.
#[derive(Serialize)]
struct Made {
    #[serde(flatten)]
    line: Line,
    key: String,
}

impl Made {
    fn of(stored: StoredKey, key: &ApiKey) -> Self {
        Self { line: Line::of(stored), key: key.expose().to_owned() }
    }
}

fn misfit_name(name: &str) -> Option<FieldError> {
    let is_name = (1..=64).contains(&name.len()) && name.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    (!is_name).then(|| FieldError::new("/name", "invalid", "must be 1 to 64 printable characters of ASCII"))
}

fn misfit_scopes(clinic: &Clinic, who: &Principal, scopes: &[String]) -> Option<FieldError> {
    let snapshot = clinic.inner().policy.snapshot();
    let now = clinic.inner().parts.clock.wall();
    let roles = snapshot.authorized_roles(who.tenant(), who.subject(), now);
    // An emergency is a person's, and for an hour.
    let is_held = |scope: &String| scope != EMERGENCY && roles.contains(&scope.as_str());
    let fits = (1..=2).contains(&scopes.len()) && scopes.iter().all(is_held);
    (!fits).then(|| FieldError::new("/scopes", "invalid", "must be roles of yours"))
}

fn misfit_days(pointer: &'static str, days: u32, least: u32, most: u32) -> Option<FieldError> {
    let fits = (least..=most).contains(&days);
    (!fits).then(|| FieldError::new(pointer, "invalid", "must be a number of days within the limit"))
}

/// As [`KeyId`] is shown: 32 digits of base 16, in lower case.
fn key_id(text: &str) -> Option<KeyId> {
    let mut bytes = [0; 16];
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if text.len() != 2 * bytes.len() || !text.bytes().all(is_hex) {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(KeyId::from_bytes(bytes))
}
