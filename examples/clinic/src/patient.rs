//! A patient, and how one is sealed.

use bartizan::{
    core::{Basic, Covered, Health, Mismatch, Pan, Pii, Sensitive},
    field_crypto::{
        Bucket, Class, ClearField, Error, Field, Fields, Opened, Place, Schema, Sealed, Shown, Type, Value,
    },
};
use serde::Serialize;

/// What is stored of a patient. The owner is in clear and signed: it decides who may read their own record.
const PATIENTS: Schema = Schema::new("patients", KIND, Type::Text)
    .sealed(&[
        Field::new(NAME, Type::Text, Class::Basic, Bucket::literal(64)),
        Field::new(SSN, Type::Text, Class::Sensitive, Bucket::literal(32)),
        Field::new(CREDIT_CARD, Type::Text, Class::Pan, Bucket::literal(32)),
        Field::new(MEDICAL_RECORD, Type::Text, Class::Health, Bucket::literal(1024)),
    ])
    .clear(&[ClearField::new(OWNER, Type::Text)])
    .owner(OWNER);

/// What permissions call it.
pub(crate) const KIND: &str = "patient";

pub(crate) const NAME: &str = "name";
pub(crate) const SSN: &str = "ssn";
pub(crate) const CREDIT_CARD: &str = "creditCard";
pub(crate) const MEDICAL_RECORD: &str = "medicalRecord";
pub(crate) const OWNER: &str = "owner";

/// The sealed fields, in the order of the columns.
pub(crate) const SEALED: [&str; 4] = [NAME, SSN, CREDIT_CARD, MEDICAL_RECORD];

/// A patient in memory, on the way into the vault.
#[derive(Debug)]
pub(crate) struct Patient {
    pub(crate) tenant: String,
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) name: Pii<String, Basic>,
    pub(crate) ssn: Pii<String, Sensitive>,
    pub(crate) credit_card: Pii<String, Pan>,
    pub(crate) medical_record: Pii<String, Health>,
}

/// A patient as somebody may see them.
#[derive(Debug)]
pub(crate) struct View {
    id: String,
    version: u64,
    owner: String,
    name: Shown<String, Basic>,
    ssn: Shown<String, Sensitive>,
    credit_card: Shown<String, Pan>,
    medical_record: Shown<String, Health>,
}

impl Sealed for Patient {
    type View = View;

    fn schema() -> &'static Schema {
        &PATIENTS
    }

    fn place(&self) -> Place<'_> {
        Place::new(&self.tenant, Value::Text(&self.id))
    }

    fn fields<'a>(&'a self, to: &mut Fields<'a>) {
        to.put_pii(NAME, &self.name)
            .put_pii(SSN, &self.ssn)
            .put_pii(CREDIT_CARD, &self.credit_card)
            .put_pii(MEDICAL_RECORD, &self.medical_record)
            .put(OWNER, Value::Text(&self.owner));
    }

    fn view(opened: &mut Opened<'_>) -> Result<View, Error> {
        let owner = match opened.clear(OWNER)? {
            Some(Value::Text(owner)) => owner.to_owned(),
            _ => String::new(),
        };
        Ok(View {
            id: opened.id().to_owned(),
            version: opened.version(),
            owner,
            name: opened.take(NAME)?,
            ssn: opened.take(SSN)?,
            credit_card: opened.take(CREDIT_CARD)?,
            medical_record: opened.take(MEDICAL_RECORD)?,
        })
    }
}

impl View {
    /// The answer to whoever holds the decision: values or masks, and which are masks.
    pub(crate) fn whole(&self, covered: Covered<'_>) -> Result<Whole<'_>, Mismatch> {
        let masked = [
            (NAME, self.name.is_masked()),
            (SSN, self.ssn.is_masked()),
            (CREDIT_CARD, self.credit_card.is_masked()),
            (MEDICAL_RECORD, self.medical_record.is_masked()),
        ];
        Ok(Whole {
            id: &self.id,
            version: self.version,
            owner: &self.owner,
            name: self.name.text(covered)?,
            ssn: self.ssn.text(covered)?,
            credit_card: self.credit_card.text(covered)?,
            medical_record: self.medical_record.text(covered)?,
            masked: masked.into_iter().filter(|(_, is_masked)| *is_masked).map(|(name, _)| name).collect(),
        })
    }

    /// One line of a list: id and name.
    pub(crate) fn line(&self, covered: Covered<'_>) -> Result<Line, Mismatch> {
        Ok(Line { id: self.id.clone(), name: self.name.text(covered)?.map(str::to_owned) })
    }
}

/// A patient in an answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Whole<'v> {
    id: &'v str,
    version: u64,
    owner: &'v str,
    name: Option<&'v str>,
    ssn: Option<&'v str>,
    credit_card: Option<&'v str>,
    medical_record: Option<&'v str>,
    masked: Vec<&'static str>,
}

/// A patient in a list.
#[derive(Serialize)]
pub(crate) struct Line {
    id: String,
    name: Option<String>,
}
