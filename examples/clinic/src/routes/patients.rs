//! Patients: every record is decided on, every field opened under that decision.

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use bartizan::{
    audit_events::Event,
    core::{Fact, Origin, Outcome, Permission, Pii, Resource, Subject, Target},
    field_crypto::{Changes, Error, ErrorKind, SealedRow, Value},
    http::{self, Code, FieldError},
};
use bartizan_axum::{Guarded, Problem, StrictJson, StrictQuery};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

use super::{DELETE, LIST, READ, RESCUE, UPDATE};
use crate::{
    Clinic,
    clinic::SERVICE,
    patient::{CREDIT_CARD, KIND, Line, MEDICAL_RECORD, NAME, OWNER, Patient, SSN},
    patients::MAX_LIST,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct After {
    #[serde(default)]
    after: String,
}

/// The patients of the caller's tenant that they may list, by name. `next` goes on where this page ends, if it may go on.
pub(super) async fn list(
    State(clinic): State<Clinic>,
    guarded: Guarded,
    StrictQuery(After { after }): StrictQuery<After>,
) -> Result<impl IntoResponse, Problem> {
    let rows =
        clinic.inner().patients.list(guarded.who().tenant(), &after).await.map_err(|error| error.fault())?;
    let vault = &clinic.inner().parts.vault;
    let mut resources = Vec::with_capacity(rows.len());
    for row in &rows {
        resources.push(attested(&clinic, &guarded, row).await?);
    }
    let grants = guarded.authorize_each(LIST, resources.iter().copied())?;
    let mut lines = Vec::new();
    for ((row, resource), grant) in rows.iter().zip(&resources).zip(grants) {
        let Some(grant) = grant else { continue };
        let covered = grant.covers(*resource).map_err(|_| Code::Internal)?;
        let opened = vault.open::<Patient>(covered, row).await;
        let view = opened.map_err(|error| unreadable(&clinic, &guarded, row, &error))?;
        lines.push(view.line(covered).map_err(|_| Code::Internal)?);
    }
    let next = rows.last().filter(|_| rows.len() == MAX_LIST).map(|row| row.id().to_owned());
    Ok(Json(Page { patients: lines, next }))
}

#[derive(Serialize)]
struct Page {
    patients: Vec<Line>,
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct New {
    owner: String,
    name: String,
    ssn: String,
    credit_card: String,
    medical_record: String,
}

/// Makes a patient; the id is ours, drawn before anything is sealed to it.
pub(super) async fn create(
    State(clinic): State<Clinic>,
    guarded: Guarded,
    StrictJson(new): StrictJson<New>,
) -> Result<impl IntoResponse, Problem> {
    answer_for([
        misfit(OWNER, &new.owner),
        misfit(NAME, &new.name),
        misfit(SSN, &new.ssn),
        misfit(CREDIT_CARD, &new.credit_card),
        misfit(MEDICAL_RECORD, &new.medical_record),
    ])?;
    let mut random = [0_u8; 16];
    clinic.inner().parts.entropy.fill(&mut random).map_err(|_| Code::ServiceUnavailable)?;
    let id = random.iter().fold(String::from("p-"), |id, byte| id + &format!("{byte:02x}"));
    let patient = Patient {
        tenant: guarded.who().tenant().to_owned(),
        id: id.clone(),
        owner: new.owner,
        name: Pii::new(new.name),
        ssn: Pii::new(new.ssn),
        credit_card: Pii::new(new.credit_card),
        medical_record: Pii::new(new.medical_record),
    };
    let row = clinic.inner().parts.vault.seal(&patient).await.map_err(|error| error.fault())?;
    clinic.inner().patients.insert(row).await.map_err(|error| error.fault())?;
    Ok((StatusCode::CREATED, [(LOCATION, format!("/patients/{id}"))], Json(json!({ "id": id }))))
}

/// A patient, as much of it as the caller may see.
pub(super) async fn read(
    State(clinic): State<Clinic>,
    guarded: Guarded,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    show(&clinic, &guarded, READ, &id).await
}

/// A patient in an emergency: durable on record before anything of it is read.
pub(super) async fn rescue(
    State(clinic): State<Clinic>,
    guarded: Guarded,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    show(&clinic, &guarded, RESCUE, &id).await
}

/// As much of a patient as this permission shows to the caller.
async fn show(
    clinic: &Clinic,
    guarded: &Guarded,
    permission: Permission,
    id: &str,
) -> Result<Response, Problem> {
    let row = find(clinic, id).await?;
    let resource = attested(clinic, guarded, &row).await?;
    let grant = guarded.authorize(permission, resource).await?;
    let covered = grant.covers(resource).map_err(|_| Code::Internal)?;
    let opened = clinic.inner().parts.vault.open::<Patient>(covered, &row).await;
    let view = opened.map_err(|error| unreadable(clinic, guarded, &row, &error))?;
    Ok(Json(view.whole(covered).map_err(|_| Code::Internal)?).into_response())
}

/// New values for a patient. `version`, if it is there, says which state they were written against.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Values {
    #[serde(default, deserialize_with = "present")]
    version: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    ssn: Option<String>,
    #[serde(default, deserialize_with = "present")]
    credit_card: Option<String>,
    #[serde(default, deserialize_with = "present")]
    medical_record: Option<String>,
}

/// A member may be left out; `null` is no value.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// Gives a patient all values anew that the caller sees in clear; the others and the owner stay.
pub(super) async fn replace(
    State(clinic): State<Clinic>,
    guarded: Guarded,
    Path(id): Path<String>,
    StrictJson(new): StrictJson<Values>,
) -> Result<StatusCode, Problem> {
    update(&clinic, &guarded, &id, &new, Absent::Missing).await
}

/// Gives a patient some values anew.
pub(super) async fn change(
    State(clinic): State<Clinic>,
    guarded: Guarded,
    Path(id): Path<String>,
    StrictJson(new): StrictJson<Values>,
) -> Result<StatusCode, Problem> {
    update(&clinic, &guarded, &id, &new, Absent::Stays).await
}

/// What a field that is not in the body means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Absent {
    Missing,
    Stays,
}

async fn update(
    clinic: &Clinic,
    guarded: &Guarded,
    id: &str,
    new: &Values,
    absent: Absent,
) -> Result<StatusCode, Problem> {
    let row = find(clinic, id).await?;
    let resource = attested(clinic, guarded, &row).await?;
    // What is wrong with the values is only told to whoever may change them.
    let grant = guarded.authorize(UPDATE, resource).await?;
    let values = [
        (NAME, &new.name),
        (SSN, &new.ssn),
        (CREDIT_CARD, &new.credit_card),
        (MEDICAL_RECORD, &new.medical_record),
    ];
    // SECURITY: whoever sees a mask would write the mask, or something that nobody compares with what was there.
    if values.iter().any(|(name, value)| value.is_some() && !grant.clear().contains(name)) {
        return Err(refused(clinic, guarded, resource));
    }
    answer_for(values.iter().map(|(name, value)| match value {
        Some(value) => misfit(name, value),
        None if absent == Absent::Missing && grant.clear().contains(name) => {
            Some(FieldError::new(format!("/{name}"), "required", "is required"))
        }
        None => None,
    }))?;
    if values.iter().all(|(_, value)| value.is_none()) {
        answer_for([Some(FieldError::new("", "required", "must have at least one field"))])?;
    }
    if new.version.is_some_and(|version| version != row.version()) {
        return Err(Code::Conflict.into());
    }
    let changes = values.iter().fold(Changes::none(), |changes, (name, value)| match value {
        Some(value) => changes.set(name, Value::Text(value)),
        None => changes,
    });
    let sealed = clinic.inner().parts.vault.update::<Patient>(&row, &changes).await;
    let sealed = sealed.map_err(|error| unreadable(clinic, guarded, &row, &error))?;
    let replaced =
        clinic.inner().patients.replace(row.version(), sealed).await.map_err(|error| error.fault())?;
    if replaced { Ok(StatusCode::NO_CONTENT) } else { Err(Code::Conflict.into()) }
}

/// Erases a patient, once the decision is durably on record.
pub(super) async fn erase(
    State(clinic): State<Clinic>,
    guarded: Guarded,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let row = find(&clinic, &id).await?;
    let resource = attested(&clinic, &guarded, &row).await?;
    let _granted = guarded.authorize(DELETE, resource).await?;
    let erased = clinic
        .inner()
        .patients
        .delete(row.id(), row.tenant(), row.version())
        .await
        .map_err(|error| error.fault())?;
    if erased { Ok(StatusCode::NO_CONTENT) } else { Err(Code::Conflict.into()) }
}

async fn find(clinic: &Clinic, id: &str) -> Result<SealedRow, Problem> {
    let found = clinic.inner().patients.find(id).await.map_err(|error| error.fault())?;
    found.ok_or_else(|| Code::NotFound.into())
}

/// What a row is, by its own seal.
async fn attested<'r>(
    clinic: &Clinic,
    guarded: &Guarded,
    row: &'r SealedRow,
) -> Result<Resource<'r>, Problem> {
    // SECURITY: whether another tenant's row is damaged is nobody's business here. The authorizer denies it as it is, and
    // has the attempt on record.
    if row.tenant() != guarded.who().tenant() {
        return Ok(Resource::record(row.tenant(), KIND, row.id()));
    }
    let attested = clinic.inner().parts.vault.attest::<Patient>(row).await;
    attested.map_err(|error| unreadable(clinic, guarded, row, &error))
}

/// Puts on record that a row does not verify: somebody may have moved, changed or forged it.
fn unreadable(clinic: &Clinic, guarded: &Guarded, row: &SealedRow, error: &Error) -> Problem {
    if matches!(error.kind(), ErrorKind::Integrity | ErrorKind::KeyNotFound) {
        let resource = Resource::record(row.tenant(), KIND, row.id());
        let fact = fact(clinic, guarded, Event::CRYPT_DECRYPT_FAIL, Outcome::Failure, resource);
        // Recorded or not: nothing of the row is told.
        let _ = clinic.inner().parts.recorder.record(&fact);
    }
    error.fault().into()
}

/// Puts on record that somebody who may change a patient was to change a field that they do not see.
fn refused(clinic: &Clinic, guarded: &Guarded, resource: Resource<'_>) -> Problem {
    let mut fact = fact(clinic, guarded, Event::PERMISSION_DENIED, Outcome::Denied, resource);
    fact.permission = Some(UPDATE.name());
    match clinic.inner().parts.recorder.record(&fact.because("field_not_in_grant")) {
        Ok(_) => Code::Forbidden.into(),
        Err(_) => Code::ServiceUnavailable.into(),
    }
}

fn fact<'a>(
    clinic: &Clinic,
    guarded: &'a Guarded,
    event: Event,
    outcome: Outcome,
    resource: Resource<'a>,
) -> Fact<'a> {
    let who = guarded.who();
    let origin = Origin::service(SERVICE).of(who);
    event.fact(
        outcome,
        clinic.inner().parts.clock.wall(),
        Subject::Principal(who),
        Target::Resource(resource),
        origin,
    )
}

/// What is wrong with a value: empty, too long, or more than a line where there is one.
fn misfit(name: &str, value: &str) -> Option<FieldError> {
    let (longest, is_one_line) = match name {
        OWNER => (64, true),
        SSN | CREDIT_CARD => (32, true),
        MEDICAL_RECORD => (8 * 1024, false),
        _ => (200, true),
    };
    let (code, message) = match value.len() {
        0 => ("required", "must not be empty"),
        bytes if bytes > longest => ("too_long", "is too long"),
        _ if is_one_line && value.chars().any(breaks_a_line) => ("invalid", "must be one line"),
        _ => return None,
    };
    Some(FieldError::new(format!("/{name}"), code, message))
}

fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn answer_for(wrong: impl IntoIterator<Item = Option<FieldError>>) -> Result<(), Problem> {
    let wrong: Vec<FieldError> = wrong.into_iter().flatten().collect();
    if wrong.is_empty() { Ok(()) } else { Err(http::Problem::fields(wrong).into()) }
}
