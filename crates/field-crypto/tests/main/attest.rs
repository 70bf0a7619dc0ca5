//! Owner before decision: what a row says about itself, verified, without a grant and without a plaintext.

use bartizan_core::{Fault, Owner};
use bartizan_envelope::Attempt;
use bartizan_field_crypto::{ErrorKind, SealedRow, Value};

use crate::support::{CARD, Clinic, Patient, RECORD, SSN, patient, rebuilt, stored, wait};

#[test]
fn a_row_says_whose_it_is() {
    let clinic = Clinic::new();
    let row = stored(&clinic.sealed("north", "p-1"));
    let resource = wait(clinic.vault.attest::<Patient>(&row)).unwrap();
    assert_eq!((resource.tenant(), resource.kind(), resource.id()), ("north", "patient", Some("p-1")));
    assert_eq!((resource.owner(), resource.team()), (Some(Owner::Sealed("ada")), Some("3b")));
    let shown = format!("{resource:?}");
    assert!(![SSN, CARD, RECORD].iter().any(|secret| shown.contains(secret)));
}

#[test]
fn a_row_without_an_owner_has_none() {
    let clinic = Clinic::new();
    let mut nobodys = patient("north", "p-1");
    nobodys.owner = None;
    let row = wait(clinic.vault.seal(&nobodys)).unwrap();
    assert_eq!(wait(clinic.vault.attest::<Patient>(&row)).unwrap().owner(), None);
}

#[test]
fn a_row_with_another_owner_team_or_place_is_refused() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    let cells = |row: &SealedRow, mut new: SealedRow| {
        for (name, cell) in row.cells() {
            new = new.with_cell(name, cell);
        }
        new.with_record_seal(row.record_seal())
    };
    let blank = || SealedRow::new("north", Value::Text("p-1"), 1).unwrap();
    let with = |owner: Option<Value<'_>>, ward: Option<Value<'_>>| {
        cells(&row, blank().with_clear("owner", owner).unwrap().with_clear("ward", ward).unwrap())
    };
    let (ada, ward) = (Some(Value::Text("ada")), Some(Value::Text("3b")));
    assert!(wait(clinic.vault.attest::<Patient>(&with(ada, ward))).is_ok());
    let whole = |name: &str| row.cell(name).map(<[u8]>::to_vec);
    for forged in [
        with(Some(Value::Text("eve")), ward),
        with(None, ward),
        with(ada, Some(Value::Text("3c"))),
        with(ward, ada),
        rebuilt(&row, "north", "p-2", whole),
        cells(
            &row,
            SealedRow::new("north", Value::Text("p-1"), 2)
                .unwrap()
                .with_clear("owner", ada)
                .unwrap()
                .with_clear("ward", ward)
                .unwrap(),
        ),
        cells(&row, blank().with_clear("owner", ada).unwrap()),
        cells(
            &row,
            blank()
                .with_clear("owner", ada)
                .unwrap()
                .with_clear("ward", ward)
                .unwrap()
                .with_clear("x", ward)
                .unwrap(),
        ),
        cells(&row, blank().with_clear("owner", ada).unwrap().with_clear("owner", ada).unwrap()),
        rebuilt(&row, "north", "p-1", |name| whole(name).filter(|_| name != "ssn")),
    ] {
        let error = wait(clinic.vault.attest::<Patient>(&forged)).unwrap_err();
        assert_eq!((error.kind(), error.fault()), (ErrorKind::Integrity, Fault::Integrity));
    }
    let elsewhere = wait(clinic.vault.attest::<Patient>(&rebuilt(&row, "south", "p-1", whole))).unwrap_err();
    assert_eq!((elsewhere.kind(), elsewhere.fault()), (ErrorKind::KeyNotFound, Fault::Integrity));
    // With a key of its own the other tenant has one, and still not this one.
    clinic.sealed("south", "p-9");
    let elsewhere = wait(clinic.vault.attest::<Patient>(&rebuilt(&row, "south", "p-1", whole))).unwrap_err();
    assert_eq!(elsewhere.kind(), ErrorKind::KeyNotFound);
}

#[test]
fn attesting_is_synchronous_once_the_key_is_at_hand() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    assert!(matches!(clinic.vault.try_attest::<Patient>(&row).unwrap(), Attempt::Done(_)));
    clinic.keyring.purge();
    let Attempt::NeedsKey(needs) = clinic.vault.try_attest::<Patient>(&row).unwrap() else {
        panic!("at hand")
    };
    wait(clinic.keyring.load(&needs)).unwrap();
    assert!(matches!(clinic.vault.try_attest::<Patient>(&row).unwrap(), Attempt::Done(_)));
}
