//! Single fields are written anew over a verified row, and nothing is released.

use bartizan_core::{Fault, FieldSet, Owner, Resource};
use bartizan_envelope::Cell;
use bartizan_field_crypto::{Changes, ErrorKind, SealedRow, Value};
use proptest::prelude::*;

use crate::support::{CARD, Clinic, Patient, RECORD, SSN, rebuilt, stored, wait};

fn update(clinic: &Clinic, row: &SealedRow, changes: &Changes<'_>) -> Result<SealedRow, ErrorKind> {
    wait(clinic.vault.update::<Patient>(row, changes)).map_err(|error| error.kind())
}

fn texts(clinic: &Clinic, row: &SealedRow) -> [Option<String>; 3] {
    let on = Resource::record(row.tenant(), "patient", row.id());
    let grant = clinic.grant(FieldSet::everything(), on);
    let covered = grant.covers(on).unwrap();
    let view = wait(clinic.vault.open::<Patient>(covered, row)).unwrap();
    [view.ssn.text(covered), view.card.text(covered), view.record.text(covered)]
        .map(|text| text.unwrap().map(str::to_owned))
}

fn salt(bytes: &[u8]) -> [u8; 24] {
    Cell::parse(bytes).unwrap().salt()
}

#[test]
fn one_field_is_written_under_a_new_salt_and_the_others_stay() {
    let clinic = Clinic::new();
    let row = stored(&clinic.sealed("north", "p-1"));
    let new = update(&clinic, &row, &Changes::none().set("ssn", Value::Text("219-09-9999"))).unwrap();
    let new = stored(&new);
    assert_eq!(new.version(), 2);
    assert_eq!(
        texts(&clinic, &new),
        [Some("219-09-9999"), Some(CARD), Some(RECORD)].map(|t| t.map(str::to_owned))
    );
    assert_eq!(new.cell("creditCard"), row.cell("creditCard"));
    assert_ne!(salt(new.cell("ssn").unwrap()), salt(row.cell("ssn").unwrap()));
    assert_eq!(salt(new.cell("ssn").unwrap()), salt(new.record_seal()));
    assert_eq!(Cell::parse(new.cell("ssn").unwrap()).unwrap().ordinal(), 0);
}

#[test]
fn a_value_becomes_null_and_comes_back() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    let none = update(&clinic, &row, &Changes::none().set("creditCard", None)).unwrap();
    assert_eq!(texts(&clinic, &none)[1], None);
    let back = update(&clinic, &none, &Changes::none().set("creditCard", Value::Text(CARD))).unwrap();
    assert_eq!(texts(&clinic, &back)[1].as_deref(), Some(CARD));
    assert_eq!(back.version(), 3);
}

#[test]
fn a_new_owner_is_signed_without_any_cell_being_written() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    let new = update(&clinic, &row, &Changes::none().set("owner", Value::Text("bob"))).unwrap();
    assert!(new.cells().eq(row.cells()));
    assert_eq!(wait(clinic.vault.attest::<Patient>(&new)).unwrap().owner(), Some(Owner::Sealed("bob")));
    let mixed = new.with_record_seal(row.record_seal());
    assert_eq!(wait(clinic.vault.attest::<Patient>(&mixed)).unwrap_err().kind(), ErrorKind::Integrity);
}

#[test]
fn cells_of_two_versions_do_not_mix() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    let new = update(&clinic, &row, &Changes::none().set("ssn", Value::Text("219-09-9999"))).unwrap();
    let old_cell = rebuilt(&new, "north", "p-1", |name| {
        let from = if name == "ssn" { &row } else { &new };
        from.cell(name).map(<[u8]>::to_vec)
    });
    assert_eq!(clinic.open(FieldSet::everything(), &old_cell).unwrap_err().kind(), ErrorKind::Integrity);
    // The whole old row verifies: only the version, known from elsewhere, tells.
    clinic.open(FieldSet::everything(), &row).unwrap();
}

#[test]
fn a_row_that_does_not_verify_is_not_updated() {
    let clinic = Clinic::new();
    let (row, other) = (clinic.sealed("north", "p-1"), clinic.sealed("north", "p-2"));
    // An exchanged cell that is kept would be signed anew.
    let exchanged = rebuilt(&row, "north", "p-1", |name| {
        let from = if name == "creditCard" { &other } else { &row };
        from.cell(name).map(<[u8]>::to_vec)
    });
    let owner = SealedRow::new("north", Value::Text("p-1"), 1).unwrap();
    let owner = row.cells().fold(owner, |owner, (name, cell)| owner.with_cell(name, cell));
    let owner = owner
        .with_clear("owner", Value::Text("eve"))
        .unwrap()
        .with_clear("ward", Value::Text("3b"))
        .unwrap()
        .with_record_seal(row.record_seal());
    for forged in [exchanged, owner] {
        let error =
            wait(clinic.vault.update::<Patient>(&forged, &Changes::none().set("ssn", Value::Text("x"))))
                .unwrap_err();
        assert_eq!((error.kind(), error.fault()), (ErrorKind::Integrity, Fault::Integrity));
    }
}

#[test]
fn changes_that_do_not_fit_the_schema_are_refused() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    for changes in [
        Changes::none().set("ssm", Value::Text("x")),
        Changes::none().set("$seal", Value::Text("x")),
        Changes::none().set("ssn", Value::U64(1)),
        Changes::none().set("owner", Value::U64(1)),
        Changes::none().set("ssn", Value::Text("x")).set("ssn", Value::Text("y")),
        Changes::none().set("owner", Value::Text("x")).set("owner", None),
    ] {
        assert_eq!(update(&clinic, &row, &changes).unwrap_err(), ErrorKind::Schema, "{changes:?}");
    }
}

#[test]
fn no_changes_sign_the_row_anew() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    let new = update(&clinic, &row, &Changes::none()).unwrap();
    assert_eq!(new.version(), 2);
    assert_ne!(salt(new.record_seal()), salt(row.record_seal()));
    assert_eq!(texts(&clinic, &new)[0].as_deref(), Some(SSN));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any sequence of updates: the row always opens to the last values, and no key, salt and ordinal come twice.
    #[test]
    fn asvs_11_3_4_no_sequence_of_updates_uses_a_nonce_twice(
        steps in proptest::collection::vec((any::<bool>(), any::<bool>(), any::<bool>(), 0_u8..3), 1..12),
    ) {
        let clinic = Clinic::new();
        let mut row = clinic.sealed("north", "p-1");
        let mut expected = [SSN.to_owned(), CARD.to_owned(), RECORD.to_owned()];
        let mut used = std::collections::HashMap::new();
        for (ssn, card, record, value) in steps {
            let value = format!("value {value}");
            let mut changes = Changes::none();
            for (at, (name, changed)) in [("ssn", ssn), ("creditCard", card), ("medicalRecord", record)].into_iter().enumerate() {
                if changed {
                    changes = changes.set(name, Value::Text(&value));
                    expected[at].clone_from(&value);
                }
            }
            row = stored(&update(&clinic, &row, &changes).unwrap());
            for bytes in row.cells().map(|(_, cell)| cell).chain([row.record_seal()]) {
                let cell = Cell::parse(bytes).unwrap();
                let before = used.insert((cell.key_id(), cell.salt(), cell.ordinal()), bytes.to_vec());
                prop_assert!(before.is_none_or(|before| before == bytes));
            }
            prop_assert_eq!(texts(&clinic, &row).map(Option::unwrap), expected.clone());
        }
    }
}
