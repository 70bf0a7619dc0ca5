//! One cell by itself, for tools: the same grants, no row.

use std::sync::Arc;

use bartizan_core::{FieldSet, Grant, Resource};
use bartizan_field_crypto::{Bucket, CellPlace, Error, ErrorKind, Shown, Type, Value, Vault};
use bartizan_testkit::ScriptedEngine;

use crate::support::{Clinic, MINUTE, SSN, authorizer, granted, wait};

const AT: CellPlace<'static> = CellPlace::new("north", "people", "p-1", "ssn");

fn on() -> Resource<'static> {
    Resource::record("north", "people", "p-1")
}

fn sealed(clinic: &Clinic) -> Vec<u8> {
    wait(AT.seal(&clinic.keyring, Value::Text(SSN), Bucket::literal(16))).unwrap()
}

fn opened(vault: &Vault, grant: &Grant, at: CellPlace<'_>, cell: &[u8]) -> Result<Shown<String>, Error> {
    let covered = grant.covers(on()).unwrap();
    wait(vault.danger_open_cell::<String>(covered, at, Type::Text, cell))
}

#[test]
fn a_cell_opens_where_it_stands_under_a_grant_that_names_its_field() {
    let clinic = Clinic::new();
    let cell = sealed(&clinic);
    let grant = clinic.grant(FieldSet::named(["ssn"]), on());
    let covered = grant.covers(on()).unwrap();
    let shown = opened(&clinic.vault, &grant, AT, &cell).unwrap();
    assert_eq!(shown.text(covered).unwrap(), Some(SSN));
    // A grant that does not name the field shows nothing, and looks at nothing.
    let blind = clinic.grant(FieldSet::everything_but(["ssn"]), on());
    for bytes in [cell.as_slice(), b"no cell"] {
        let shown = opened(&clinic.vault, &blind, AT, bytes).unwrap();
        assert_eq!(shown.text(blind.covers(on()).unwrap()).unwrap(), Some("***"));
    }
}

#[test]
fn a_foreign_ended_or_other_grant_opens_no_cell() {
    let clinic = Clinic::new();
    let cell = sealed(&clinic);
    let foreign = authorizer(Arc::new(ScriptedEngine::allowing()), Arc::clone(&clinic.clock), 2);
    let foreign = granted(&foreign, on());
    let kind = |grant: &Grant, at| opened(&clinic.vault, grant, at, &cell).unwrap_err().kind();
    assert_eq!(kind(&foreign, AT), ErrorKind::ForeignAuthority);
    let grant = clinic.grant(FieldSet::everything(), on());
    for other in [
        CellPlace::new("south", "people", "p-1", "ssn"),
        CellPlace::new("north", "patients", "p-1", "ssn"),
        CellPlace::new("north", "people", "p-2", "ssn"),
    ] {
        assert_eq!(kind(&grant, other), ErrorKind::OtherRecord);
    }
    clinic.clock.advance(MINUTE);
    assert_eq!(kind(&grant, AT), ErrorKind::GrantExpired);
}

#[test]
fn a_cell_of_another_field_place_or_type_is_refused() {
    let clinic = Clinic::new();
    let cell = sealed(&clinic);
    let grant = clinic.grant(FieldSet::everything(), on());
    let kind = |at, cell: &[u8]| opened(&clinic.vault, &grant, at, cell).unwrap_err().kind();
    assert_eq!(kind(CellPlace::new("north", "people", "p-1", "phone"), &cell), ErrorKind::Integrity);
    let elsewhere = CellPlace::new("north", "people", "p-2", "ssn");
    let elsewhere = wait(elsewhere.seal(&clinic.keyring, Value::Text(SSN), Bucket::ONE)).unwrap();
    assert_eq!(kind(AT, &elsewhere), ErrorKind::Integrity);
    let bytes = wait(AT.seal(&clinic.keyring, Value::Bytes(SSN.as_bytes()), Bucket::ONE)).unwrap();
    assert_eq!(kind(AT, &bytes), ErrorKind::Integrity);
    assert_eq!(kind(AT, b"078-05-1120"), ErrorKind::Integrity);
    let covered = grant.covers(on()).unwrap();
    let misfit = wait(clinic.vault.danger_open_cell::<i64>(covered, AT, Type::Text, &cell)).unwrap_err();
    assert_eq!(misfit.kind(), ErrorKind::Schema);
}
