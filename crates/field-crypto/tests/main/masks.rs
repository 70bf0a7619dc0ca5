//! What is not granted leaves as a mask, whatever the record's implementation tries.

use std::{fmt::Write as _, sync::Arc};

use bartizan_core::{Basic, FieldSet, Health, Pan, Pii, PiiClass, Resource, Sensitive, Sensitivity};
use bartizan_crypto_rustcrypto::RustCrypto;
use bartizan_field_crypto::{
    Error, ErrorKind, Fields, Opened, Place, Schema, Sealed, SealedRow, Shown, Value,
};
use proptest::prelude::*;

use crate::support::{CARD, Clinic, PATIENTS, Patient, PatientView, RECORD, SSN, patient, wait};

/// What each field shows under a grant that shows `clear`.
fn texts(clinic: &Clinic, clear: FieldSet, row: &SealedRow) -> [Option<String>; 3] {
    let on = Resource::record(row.tenant(), "patient", row.id());
    let grant = clinic.grant(clear, on);
    let covered = grant.covers(on).unwrap();
    let view = wait(clinic.vault.open::<Patient>(covered, row)).unwrap();
    [
        view.ssn.text(covered).unwrap().map(str::to_owned),
        view.card.text(covered).unwrap().map(str::to_owned),
        view.record.text(covered).unwrap().map(str::to_owned),
    ]
}

fn some(texts: [&str; 3]) -> [Option<String>; 3] {
    texts.map(|text| Some(text.to_owned()))
}

const MASKS: [&str; 3] = ["***1120", "411111******1111", "***"];

#[test]
fn asvs_14_2_6_fields_are_masked_unless_the_grant_names_them() {
    for clinic in [Clinic::new(), Clinic::on(Arc::new(RustCrypto::new()))] {
        let row = clinic.sealed("north", "p-1");
        let [ssn, card, record] = MASKS;
        assert_eq!(texts(&clinic, FieldSet::nothing(), &row), some(MASKS));
        assert_eq!(texts(&clinic, FieldSet::everything(), &row), some([SSN, CARD, RECORD]));
        assert_eq!(texts(&clinic, FieldSet::named(["ssn"]), &row), some([SSN, card, record]));
        assert_eq!(texts(&clinic, FieldSet::named(["creditCard"]), &row), some([ssn, CARD, record]));
        assert_eq!(texts(&clinic, FieldSet::everything_but(["ssn"]), &row), some([ssn, CARD, RECORD]));
        assert_eq!(texts(&clinic, FieldSet::named(["SSN", "other", "owner"]), &row), some(MASKS));
    }
}

#[test]
fn null_looks_like_a_value_to_whoever_may_not_see_it() {
    let clinic = Clinic::new();
    let mut nobody = patient("north", "p-1");
    nobody.card = None;
    let row = wait(clinic.vault.seal(&nobody)).unwrap();
    let with = clinic.sealed("north", "p-2");
    assert_eq!(row.cell("creditCard").unwrap().len(), with.cell("creditCard").unwrap().len());
    let [_, masked, _] = texts(&clinic, FieldSet::nothing(), &row);
    assert_eq!(masked.as_deref(), Some("***"));
    let [_, seen, _] = texts(&clinic, FieldSet::everything(), &row);
    assert_eq!(seen, None);
}

#[test]
fn values_that_are_no_text_are_masked_whole() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    let view = clinic.open(FieldSet::nothing(), &row).unwrap();
    assert!(matches!(&view.born, Shown::Masked(mask) if &**mask == "***"));
}

#[test]
fn a_view_shows_no_value_in_debug_not_even_one_in_clear() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    let view: PatientView = clinic.open(FieldSet::everything(), &row).unwrap();
    let shown = format!("{:?} {:#?} {row:?} {:?}", view, view.ssn, clinic.vault);
    for secret in [SSN, "1120", CARD, "1111", RECORD, "north", "p-1\","] {
        assert!(!shown.contains(secret) || secret == "p-1\",", "{secret} in {shown}");
    }
    assert_eq!((view.ssn.masked(), view.record.masked()), ("***1120".into(), "***".into()));
}

/// An implementation that tries everything to get hold of more than the grant shows.
struct Greedy;

/// A class whose mask is the value itself.
#[derive(Debug)]
enum Bare {}

impl PiiClass for Bare {
    const SENSITIVITY: Sensitivity = Sensitivity::Sensitive;

    fn mask(value: &str) -> String {
        value.to_owned()
    }
}

impl Sealed for Greedy {
    type View = String;

    fn schema() -> &'static Schema {
        &PATIENTS
    }

    fn place(&self) -> Place<'_> {
        Place::new("north", Value::Text("p-1"))
    }

    fn fields<'a>(&'a self, _: &mut Fields<'a>) {}

    fn view(opened: &mut Opened<'_>) -> Result<String, Error> {
        let mut all = format!("{opened:?} {:?} {:?}", opened.tenant(), opened.version());
        for name in ["ssn", "creditCard", "medicalRecord", "born", "$seal", "", "owner"] {
            // As a clear field, in other types and other classes: all refused.
            assert_eq!(opened.clear(name).is_ok(), name == "owner");
            assert!(opened.take::<Vec<u8>, Basic>(name).is_err());
            assert!(opened.take::<String, Basic>(name).is_err());
        }
        macro_rules! take {
            ($class:ty, $name:expr) => {
                match opened.take::<String, $class>($name)? {
                    Shown::Clear(value) => {
                        write!(all, " {} {value}", value.danger_expose_uncovered()).unwrap()
                    }
                    other => write!(all, " {} {other:?}", other.masked()).unwrap(),
                }
            };
        }
        take!(Bare, "ssn");
        take!(Pan, "creditCard");
        take!(Health, "medicalRecord");
        assert_eq!(opened.take::<String, Bare>("ssn").unwrap_err().kind(), ErrorKind::Schema, "taken twice");
        Ok(all)
    }
}

#[test]
fn a_hand_written_implementation_cannot_widen_the_field_set() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    let on = Resource::record("north", "patient", "p-1");
    let seen = |clear: FieldSet| {
        let grant = clinic.grant(clear, on);
        wait(clinic.vault.open::<Greedy>(grant.covers(on).unwrap(), &row)).unwrap()
    };
    let nothing = seen(FieldSet::nothing());
    for secret in [SSN, "078", "05-1", CARD, "11111111", RECORD, "penicillin"] {
        assert!(!nothing.contains(secret), "{secret} in {nothing}");
    }
    let some = seen(FieldSet::named(["ssn"]));
    assert!(some.contains(SSN) && !some.contains(CARD) && !some.contains(RECORD), "{some}");
}

/// Asks for fields in another class or type than the schema's.
macro_rules! misfit {
    ($name:ident, $type:ty, $class:ty, $field:literal) => {
        struct $name;

        impl Sealed for $name {
            type View = Shown<$type, $class>;

            fn schema() -> &'static Schema {
                &PATIENTS
            }

            fn place(&self) -> Place<'_> {
                Place::new("north", Value::Text("p-1"))
            }

            fn fields<'a>(&'a self, _: &mut Fields<'a>) {}

            fn view(opened: &mut Opened<'_>) -> Result<Self::View, Error> {
                opened.take($field)
            }
        }
    };
}

misfit!(OtherClass, String, Health, "ssn");
misfit!(OtherType, i64, Sensitive, "ssn");
misfit!(DateAsText, String, Sensitive, "born");
misfit!(OtherName, String, Sensitive, "ssm");
misfit!(NoField, String, Sensitive, "owner");

#[test]
fn a_view_in_another_class_type_or_name_is_an_error_masked_or_not() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    let on = Resource::record("north", "patient", "p-1");
    for clear in [FieldSet::everything(), FieldSet::nothing()] {
        let grant = clinic.grant(clear, on);
        let covered = grant.covers(on).unwrap();
        let kinds = [
            wait(clinic.vault.open::<OtherClass>(covered, &row)).unwrap_err().kind(),
            wait(clinic.vault.open::<OtherType>(covered, &row)).unwrap_err().kind(),
            wait(clinic.vault.open::<DateAsText>(covered, &row)).unwrap_err().kind(),
            wait(clinic.vault.open::<OtherName>(covered, &row)).unwrap_err().kind(),
            wait(clinic.vault.open::<NoField>(covered, &row)).unwrap_err().kind(),
        ];
        assert_eq!(kinds, [ErrorKind::Schema; 5]);
    }
}

#[test]
fn each_class_is_as_grave_as_the_type_that_views_name() {
    use bartizan_field_crypto::Class;
    for (class, sensitivity) in [
        (Class::Basic, Basic::SENSITIVITY),
        (Class::Sensitive, Sensitive::SENSITIVITY),
        (Class::Health, Health::SENSITIVITY),
        (Class::Pan, Pan::SENSITIVITY),
    ] {
        assert_eq!(class.sensitivity(), sensitivity);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Of any value, only what the class shows of it leaves, and never anything of a health field.
    #[test]
    fn no_value_leaves_a_grant_that_shows_nothing(
        ssn in "[0-9a-z-]{0,14}",
        card in proptest::option::of("[0-9]{0,19}"),
        record in "[a-z ]{0,60}",
    ) {
        let clinic = Clinic::new();
        let mut someone = patient("north", "p-1");
        (someone.ssn, someone.card, someone.record) = (Pii::new(ssn.clone()), card.clone(), Pii::new(record));
        let row = wait(clinic.vault.seal(&someone)).unwrap();
        let [shown_ssn, shown_card, shown_record] = texts(&clinic, FieldSet::nothing(), &row).map(Option::unwrap);
        prop_assert_eq!(shown_ssn, bartizan_core::mask_last4(&ssn));
        prop_assert_eq!(shown_card, card.map_or_else(|| "***".to_owned(), |card| bartizan_core::mask_pan(&card)));
        prop_assert_eq!(shown_record, "***");
    }
}
