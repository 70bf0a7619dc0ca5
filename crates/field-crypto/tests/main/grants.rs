//! A grant opens what it is for: this authority, this time, this record, these fields.

use std::{sync::Arc, time::Duration};

use bartizan_core::{Fault, FieldSet, Grant, Mismatch, Resource, RuleId, UnixTime, Verdict};
use bartizan_field_crypto::{ErrorKind, SealedRow, Vault};
use bartizan_testkit::ScriptedEngine;

use crate::support::{Clinic, MINUTE, Patient, RECORD, SSN, authorizer, granted, stored, wait};

fn on(row: &SealedRow) -> Resource<'_> {
    Resource::record(row.tenant(), "patient", row.id())
}

fn refusal(vault: &Vault, grant: &Grant, of: Resource<'_>, row: &SealedRow) -> ErrorKind {
    let error = wait(vault.open::<Patient>(grant.covers(of).unwrap(), row)).unwrap_err();
    assert_eq!((error.fault(), error.is_transient()), (Fault::Caller, false));
    error.kind()
}

#[test]
fn a_grant_for_the_record_opens_it() {
    let clinic = Clinic::new();
    let row = stored(&clinic.sealed("north", "p-1"));
    let grant = clinic.grant(FieldSet::everything(), on(&row));
    let covered = grant.covers(on(&row)).unwrap();
    let view = wait(clinic.vault.open::<Patient>(covered, &row)).unwrap();
    assert_eq!(view.ssn.text(covered).unwrap(), Some(SSN));
    assert_eq!(view.record.text(covered).unwrap(), Some(RECORD));
    assert_eq!(view.born.expose(covered).unwrap(), Some(&-3_650));
    assert_eq!((view.id.as_str(), view.owner.as_deref()), ("p-1", Some("ada")));
}

#[test]
fn a_grant_of_a_foreign_authority_opens_nothing() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    // An authorizer that allows all, elsewhere in the same program.
    let lax = authorizer(Arc::new(ScriptedEngine::allowing()), Arc::clone(&clinic.clock), 2);
    let grant = granted(&lax, on(&row));
    assert_eq!(refusal(&clinic.vault, &grant, on(&row), &row), ErrorKind::ForeignAuthority);
    // And the other way round: its vault believes it, and not ours.
    let theirs = Vault::new(lax.authority(), Arc::clone(&clinic.keyring), clinic.clock.clone());
    assert!(wait(theirs.open::<Patient>(grant.covers(on(&row)).unwrap(), &row)).is_ok());
    let ours = clinic.grant(FieldSet::everything(), on(&row));
    assert_eq!(refusal(&theirs, &ours, on(&row), &row), ErrorKind::ForeignAuthority);
}

#[test]
fn a_grant_that_has_ended_opens_nothing_from_that_instant_on() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    let grant = clinic.grant(FieldSet::everything(), on(&row));
    clinic.clock.advance(MINUTE - Duration::from_nanos(1));
    assert!(wait(clinic.vault.open::<Patient>(grant.covers(on(&row)).unwrap(), &row)).is_ok());
    clinic.clock.advance(Duration::from_nanos(1));
    assert_eq!(refusal(&clinic.vault, &grant, on(&row), &row), ErrorKind::GrantExpired);
}

#[test]
fn a_grant_for_another_record_tenant_or_kind_opens_nothing() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    for other in [
        Resource::record("north", "patient", "p-2"),
        Resource::record("south", "patient", "p-1"),
        Resource::record("north", "doctor", "p-1"),
        Resource::collection("north", "patient"),
    ] {
        let grant = clinic.grant(FieldSet::everything(), other);
        assert_eq!(refusal(&clinic.vault, &grant, other, &row), ErrorKind::OtherRecord, "{other:?}");
        assert!(grant.covers(on(&row)).is_err());
    }
}

#[test]
fn the_grant_is_checked_before_the_row_is_looked_at() {
    let clinic = Clinic::new();
    let broken = SealedRow::new("north", bartizan_field_crypto::Value::Text("p-1"), 1).unwrap();
    let other = Resource::record("north", "patient", "p-2");
    let grant = clinic.grant(FieldSet::everything(), other);
    assert_eq!(refusal(&clinic.vault, &grant, other, &broken), ErrorKind::OtherRecord);
}

#[test]
fn what_was_opened_is_exposed_under_its_own_decision_alone() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    let (one, two) =
        (clinic.grant(FieldSet::everything(), on(&row)), clinic.grant(FieldSet::everything(), on(&row)));
    let covered = one.covers(on(&row)).unwrap();
    let view = wait(clinic.vault.open::<Patient>(covered, &row)).unwrap();
    assert_eq!(view.ssn.expose(covered).unwrap().map(String::as_str), Some(SSN));
    let later = two.covers(on(&row)).unwrap();
    assert_eq!(view.ssn.expose(later).unwrap_err(), Mismatch::Decision);
    assert_eq!(view.ssn.text(later).unwrap_err(), Mismatch::Decision);
}

#[test]
fn an_engines_earlier_end_counts() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    let until = UnixTime::from_secs(1_700_000_005);
    clinic.engine.answer(Verdict::Allow { rule: RuleId(1), clear: FieldSet::everything(), until });
    let grant = granted(&clinic.authorizer, on(&row));
    clinic.clock.advance(Duration::from_secs(5));
    assert_eq!(refusal(&clinic.vault, &grant, on(&row), &row), ErrorKind::GrantExpired);
}
