//! Rows open whole and where they were sealed, or not at all.

use std::sync::Arc;

use bartizan_core::{Fault, FieldSet};
use bartizan_crypto_rustcrypto::RustCrypto;
use bartizan_envelope::Cell;
use bartizan_field_crypto::{
    Bucket, Class, ClearField, Error, ErrorKind, Field, Fields, Opened, Place, Schema, Sealed, SealedRow,
    Type, Value,
};
use proptest::prelude::*;

use crate::support::{CARD, Clinic, Patient, RECORD, SSN, patient, rebuilt, stored, wait};

fn whole<'r>(row: &'r SealedRow) -> impl Fn(&str) -> Option<Vec<u8>> + 'r {
    |name| row.cell(name).map(<[u8]>::to_vec)
}

fn refused(clinic: &Clinic, row: &SealedRow, what: &str) {
    // Also for somebody to whom nothing is shown, and nothing would have to be opened.
    for clear in [FieldSet::everything(), FieldSet::nothing()] {
        let error = clinic.open(clear, row).unwrap_err();
        assert_eq!((error.kind(), error.fault()), (ErrorKind::Integrity, Fault::Integrity), "{what}");
    }
}

#[test]
fn a_stored_row_holds_no_plaintext() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    for (_, cell) in row.cells() {
        for secret in [SSN, "1120", CARD, "1111", RECORD, "peni"] {
            assert!(!cell.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
    }
    assert_eq!(row.clear("owner"), Some(Value::Text("ada")));
    assert_eq!((row.version(), row.cells().count(), row.record_seal().len()), (1, 4, 88));
}

#[test]
fn a_cell_moved_to_another_field_row_or_tenant_is_refused() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    let (other, south) = (clinic.sealed("north", "p-2"), clinic.sealed("south", "p-1"));
    clinic.open(FieldSet::everything(), &stored(&row)).unwrap();
    let moved = |from: &SealedRow, field: &str, to: &str| {
        let cell = from.cell(field).unwrap().to_vec();
        rebuilt(&row, "north", "p-1", |name| if name == to { Some(cell.clone()) } else { whole(&row)(name) })
    };
    refused(&clinic, &moved(&other, "ssn", "ssn"), "another row");
    refused(&clinic, &moved(&south, "ssn", "ssn"), "another tenant");
    refused(&clinic, &moved(&row, "creditCard", "ssn"), "another field");
    refused(&clinic, &rebuilt(&other, "north", "p-1", whole(&other)), "a whole row under another id");
    let error =
        clinic.open(FieldSet::everything(), &rebuilt(&south, "north", "p-1", whole(&south))).unwrap_err();
    assert_eq!(
        (error.kind(), error.fault()),
        (ErrorKind::KeyNotFound, Fault::Integrity),
        "a whole row in another tenant"
    );
}

#[test]
fn a_row_without_its_seal_or_with_missing_or_extra_cells_is_refused() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    let other = clinic.sealed("north", "p-2");
    for gone in ["ssn", "creditCard", "medicalRecord", "born"] {
        let without = rebuilt(&row, "north", "p-1", |name| whole(&row)(name).filter(|_| name != gone));
        refused(&clinic, &without, gone);
    }
    refused(&clinic, &stored(&row).with_cell("extra", row.cell("ssn").unwrap()), "an extra cell");
    refused(&clinic, &stored(&row).with_cell("ssn", row.cell("ssn").unwrap()), "a cell twice");
    refused(&clinic, &stored(&row).with_record_seal(Vec::new()), "no seal");
    refused(&clinic, &stored(&row).with_record_seal(other.record_seal()), "another row's seal");
    refused(&clinic, &stored(&row).with_record_seal(row.cell("ssn").unwrap()), "a cell as seal");
    let again = clinic.sealed("north", "p-1");
    refused(&clinic, &stored(&row).with_record_seal(again.record_seal()), "the seal of another write");
}

#[test]
fn every_altered_byte_of_a_row_is_refused() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    for field in ["ssn", "creditCard"] {
        let cell = row.cell(field).unwrap();
        for at in 0..cell.len() {
            let altered = rebuilt(&row, "north", "p-1", |name| {
                let mut cell = whole(&row)(name)?;
                if name == field {
                    cell[at] ^= 0x21;
                }
                Some(cell)
            });
            let error = clinic.open(FieldSet::everything(), &altered).unwrap_err();
            assert_eq!(error.fault(), Fault::Integrity, "byte {at} of {field}");
        }
    }
}

#[test]
fn plaintext_put_in_a_cells_place_is_refused() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    for plain in [SSN.as_bytes(), b"", b"{}", &[0xFB; 88], &[0; 100_000]] {
        let replaced = rebuilt(&row, "north", "p-1", |name| {
            if name == "ssn" { Some(plain.to_vec()) } else { whole(&row)(name) }
        });
        refused(&clinic, &replaced, "plaintext");
    }
}

#[test]
fn equal_values_look_different_in_every_field_row_tenant_and_write() {
    let clinic = Clinic::new();
    let rows = [
        clinic.sealed("north", "p-1"),
        clinic.sealed("north", "p-1"),
        clinic.sealed("north", "p-2"),
        clinic.sealed("south", "p-1"),
    ];
    let bodies: std::collections::HashSet<&[u8]> =
        rows.iter().map(|row| &row.cell("ssn").unwrap()[70..]).collect();
    assert_eq!(bodies.len(), rows.len());
    let salts: std::collections::HashSet<[u8; 24]> =
        rows.iter().map(|row| Cell::parse(row.record_seal()).unwrap().salt()).collect();
    assert_eq!(salts.len(), rows.len());
}

#[test]
fn each_provider_opens_the_others_rows() {
    let (one, two) = (Clinic::new(), Clinic::on(Arc::new(RustCrypto::new())));
    // The same master key and randomness: the second clinic makes the same key for itself.
    let (ours, theirs) = (one.sealed("north", "p-1"), two.sealed("north", "p-1"));
    assert_eq!(ours, theirs, "byte for byte");
    one.open(FieldSet::everything(), &theirs).unwrap();
    two.open(FieldSet::everything(), &ours).unwrap();
}

/// A record that hands over what a test tells it.
struct Loose(Vec<(&'static str, Option<Value<'static>>)>, Value<'static>);

const LOOSE: Schema = Schema::new("loose", "loose", Type::U64)
    .sealed(&[Field::new("a", Type::Text, Class::Basic, Bucket::ONE)])
    .clear(&[ClearField::new("b", Type::U64)])
    .owner("b");

impl Sealed for Loose {
    type View = ();

    fn schema() -> &'static Schema {
        &LOOSE
    }

    fn place(&self) -> Place<'_> {
        Place::new("north", self.1)
    }

    fn fields<'a>(&'a self, to: &mut Fields<'a>) {
        for (name, value) in &self.0 {
            to.put(name, *value);
        }
    }

    fn view(_: &mut Opened<'_>) -> Result<(), Error> {
        Ok(())
    }
}

#[test]
fn a_record_that_does_not_fit_its_schema_is_not_sealed() {
    let clinic = Clinic::new();
    let (a, b, row) = (Some(Value::Text("x")), Some(Value::U64(1)), Value::U64(1));
    let seal = |fields: Vec<(&'static str, Option<Value<'static>>)>, row: Value<'static>| {
        wait(clinic.vault.seal(&Loose(fields, row))).map(drop).map_err(|error| (error.kind(), error.fault()))
    };
    assert_eq!(seal(vec![("b", b), ("a", a)], row), Ok(()));
    let misfit = Err((ErrorKind::Schema, Fault::Caller));
    assert_eq!(seal(vec![("a", a)], row), misfit, "missing");
    assert_eq!(seal(vec![("a", a), ("b", b), ("c", b)], row), misfit, "unknown");
    assert_eq!(seal(vec![("a", a), ("c", b)], row), misfit, "misspelt");
    assert_eq!(seal(vec![("a", a), ("a", a)], row), misfit, "twice");
    assert_eq!(seal(vec![("a", a), ("b", b), ("b", b)], row), misfit, "a clear field twice");
    assert_eq!(seal(vec![("a", b), ("b", b)], row), misfit, "a sealed value of another type");
    assert_eq!(seal(vec![("a", a), ("b", a)], row), misfit, "a clear value of another type");
    assert_eq!(seal(vec![("a", a), ("b", b)], Value::Text("1")), misfit, "an id of another type");
    let long: &'static str = "x".repeat(65_535).leak();
    let too_long = seal(vec![("a", Some(Value::Text(long))), ("b", b)], row);
    assert_eq!(too_long, Err((ErrorKind::TooLong, Fault::Caller)));
    // An owner that is no text cannot be attested.
    let sealed = wait(clinic.vault.seal(&Loose(vec![("a", a), ("b", b)], row))).unwrap();
    let error = wait(clinic.vault.attest::<Loose>(&sealed)).unwrap_err();
    assert_eq!((error.kind(), error.fault()), (ErrorKind::Schema, Fault::Caller));
}

#[test]
fn errors_show_nothing_of_the_row() {
    let clinic = Clinic::new();
    let mut someone = patient("canary-tenant", "canary-id");
    someone.owner = Some("canary-owner".to_owned());
    let row = wait(clinic.vault.seal(&someone)).unwrap();
    let forged = rebuilt(&row, "canary-tenant", "canary-other", whole(&row));
    let elsewhere = rebuilt(&row, "canary-else", "canary-id", whole(&row));
    for error in [
        wait(clinic.vault.attest::<Patient>(&forged)).unwrap_err(),
        wait(clinic.vault.attest::<Patient>(&elsewhere)).unwrap_err(),
        clinic.open(FieldSet::everything(), &forged).unwrap_err(),
    ] {
        let source = std::error::Error::source(&error).map(|source| format!("{source} {source:?}"));
        let shown = format!("{error} {error:?} {error:#?} {source:?} {row:?}");
        assert!(!shown.contains("canary"), "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_stored_bytes_are_refused_without_a_panic(
        cells in proptest::collection::vec((0_usize..5, proptest::collection::vec(any::<u8>(), 0..160)), 0..6),
        seal in proptest::collection::vec(any::<u8>(), 0..160),
        sound in any::<bool>(),
    ) {
        let clinic = Clinic::new();
        let row = clinic.sealed("north", "p-1");
        let mut forged = SealedRow::new("north", Value::Text("p-1"), 1).unwrap();
        for (name, bytes) in cells {
            let start = if sound { row.record_seal()[..70].to_vec() } else { Vec::new() };
            forged = forged.with_cell(["ssn", "creditCard", "medicalRecord", "born", "x"][name], [start, bytes].concat());
        }
        let forged = forged
            .with_clear("owner", Value::Text("ada")).unwrap()
            .with_clear("ward", Value::Text("3b")).unwrap()
            .with_record_seal(if sound { row.record_seal().to_vec() } else { seal });
        prop_assert!(wait(clinic.vault.attest::<Patient>(&forged)).is_err());
        prop_assert!(clinic.open(FieldSet::everything(), &forged).is_err());
    }
}
