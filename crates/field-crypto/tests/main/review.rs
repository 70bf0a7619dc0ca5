//! Attacks of a reviewer who read the API and the format, and not the code.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use bartizan_core::{FieldSet, Health, Pii, Resource, SecretArray, SecretBytes, Sensitive};
use bartizan_crypto_ring::Ring;
use bartizan_envelope::{Error as EnvelopeError, KeyContext, KeyWrapper, LocalMaster, MemoryKeyStore};
use bartizan_field_crypto::{
    Bucket, CellPlace, Changes, Class, ClearField, Error, ErrorKind, Field, Fields, Opened, Place, Schema,
    Sealed, SealedRow, Shown, Type, Value,
};
use bartizan_testkit::{ManualClock, SeededEntropy};

use crate::support::{Clinic, MINUTE, Patient, RECORD, SSN, rebuilt, wait};

/// Key management that takes a minute whenever a clock is given to it.
#[derive(Debug)]
struct Slow {
    local: LocalMaster,
    clock: Mutex<Option<Arc<ManualClock>>>,
}

#[async_trait]
impl KeyWrapper for Slow {
    fn describe(&self) -> String {
        "slow".to_owned()
    }

    async fn wrap(
        &self,
        context: &KeyContext<'_>,
        payload: &SecretArray<64>,
    ) -> Result<Vec<u8>, EnvelopeError> {
        self.local.wrap(context, payload).await
    }

    async fn unwrap(&self, context: &KeyContext<'_>, wrapped: &[u8]) -> Result<SecretBytes, EnvelopeError> {
        if let Some(clock) = &*self.clock.lock().unwrap() {
            clock.advance(MINUTE);
        }
        self.local.unwrap(context, wrapped).await
    }
}

#[test]
fn a_grant_that_ends_while_the_key_is_fetched_opens_nothing() {
    let ring = Arc::new(Ring::new());
    let (master, entropy) = (SecretArray::new([0x4d; 32]), Arc::new(SeededEntropy::new(5)));
    let local = LocalMaster::new(ring.clone(), &master, entropy).unwrap();
    let slow = Arc::new(Slow { local, clock: Mutex::default() });
    let clinic = Clinic::with(ring, slow.clone(), Arc::new(MemoryKeyStore::new()));
    let at = CellPlace::new("north", "people", "p-1", "ssn");
    let cell = wait(at.seal(&clinic.keyring, Value::Text(SSN), Bucket::literal(16))).unwrap();
    let row = clinic.sealed("north", "p-1");
    *slow.clock.lock().unwrap() = Some(Arc::clone(&clinic.clock));

    clinic.keyring.purge();
    let ended = clinic.open(FieldSet::everything(), &row).unwrap_err();
    assert_eq!(ended.kind(), ErrorKind::GrantExpired);

    clinic.keyring.purge();
    let on = Resource::record("north", "people", "p-1");
    let grant = clinic.grant(FieldSet::everything(), on);
    let covered = grant.covers(on).unwrap();
    let ended = wait(clinic.vault.danger_open_cell::<String>(covered, at, Type::Text, &cell)).unwrap_err();
    assert_eq!(ended.kind(), ErrorKind::GrantExpired);
}

/// The whole table of what somebody with the database can mix from two versions of a row and a neighbour.
#[test]
fn no_mixture_of_old_and_new_cells_seals_and_neighbours_opens() {
    let clinic = Clinic::new();
    let first = clinic.sealed("north", "p-1");
    let change = Changes::none().set("ssn", Value::Text("987-65-4321"));
    let second = wait(clinic.vault.update::<Patient>(&first, &change)).unwrap();
    let neighbour = clinic.sealed("north", "p-2");
    let sources = [&first, &second, &neighbour];
    let names = ["ssn", "creditCard", "medicalRecord", "born"];
    let mut opened = 0;
    for mixture in 0..3_usize.pow(6) {
        let from = |digit: u32| sources[mixture / 3_usize.pow(digit) % 3];
        let version = from(5).version();
        let mut row = SealedRow::new("north", Value::Text("p-1"), version).unwrap();
        for (digit, name) in (0..).zip(names) {
            row = row.with_cell(name, from(digit).cell(name).unwrap());
        }
        let row = row
            .with_clear("owner", first.clear("owner"))
            .unwrap()
            .with_clear("ward", first.clear("ward"))
            .unwrap()
            .with_record_seal(from(4).record_seal());
        for shown in [FieldSet::everything(), FieldSet::nothing()] {
            match clinic.open(shown, &row) {
                Ok(_) => {
                    let whole = |one: &SealedRow| {
                        names.iter().all(|name| row.cell(name) == one.cell(name))
                            && row.record_seal() == one.record_seal()
                            && version == one.version()
                    };
                    assert!(whole(&first) || whole(&second), "mixture {mixture}");
                    opened += 1;
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::Integrity),
            }
        }
    }
    // The kept cells are in both versions, and the neighbour's version number is the first one's.
    assert!(opened > 0);
}

/// An old cell of the same place is what only the record seal notices.
#[test]
fn an_old_cell_put_back_opens_alone_and_not_in_its_row() {
    let clinic = Clinic::new();
    let first = clinic.sealed("north", "p-1");
    let change = Changes::none().set("ssn", Value::Text("987-65-4321"));
    let second = wait(clinic.vault.update::<Patient>(&first, &change)).unwrap();
    let replayed = rebuilt(&second, "north", "p-1", |name| {
        let from = if name == "ssn" { &first } else { &second };
        from.cell(name).map(<[u8]>::to_vec)
    });
    assert_eq!(clinic.open(FieldSet::everything(), &replayed).unwrap_err().kind(), ErrorKind::Integrity);
    assert_eq!(
        wait(clinic.vault.attest::<Patient>(&replayed)).unwrap_err().kind(),
        ErrorKind::Integrity,
        "nor does anybody decide by it"
    );
    assert_eq!(
        wait(clinic.vault.update::<Patient>(&replayed, &Changes::none())).unwrap_err().kind(),
        ErrorKind::Integrity,
        "nor is it signed anew"
    );

    let at = CellPlace::new("north", "people", "p-1", "ssn");
    let old = wait(at.seal(&clinic.keyring, Value::Text("old"), Bucket::ONE)).unwrap();
    wait(at.seal(&clinic.keyring, Value::Text("new"), Bucket::ONE)).unwrap();
    let on = Resource::record("north", "people", "p-1");
    let grant = clinic.grant(FieldSet::everything(), on);
    let covered = grant.covers(on).unwrap();
    let shown = wait(clinic.vault.danger_open_cell::<String>(covered, at, Type::Text, &old)).unwrap();
    assert_eq!(shown.text(covered).unwrap(), Some("old"), "which is why it is called danger");
}

const NOTES: Schema = Schema::new("notes", "patient", Type::Text)
    .sealed(&[Field::new("body", Type::Text, Class::Sensitive, Bucket::literal(64))])
    .clear(&[ClearField::new("owner", Type::Text)]);

/// A record whose hands confuse what goes where.
struct Note {
    id: &'static str,
    body: fn(&mut Fields<'_>),
}

impl Sealed for Note {
    type View = Shown<String, Sensitive>;

    fn schema() -> &'static Schema {
        &NOTES
    }

    fn place(&self) -> Place<'_> {
        Place::new("north", Value::Text(self.id))
    }

    fn fields<'a>(&'a self, to: &mut Fields<'a>) {
        (self.body)(to);
    }

    fn view(opened: &mut Opened<'_>) -> Result<Self::View, Error> {
        opened.take("body")
    }
}

static DIAGNOSIS: std::sync::LazyLock<Pii<String, Health>> =
    std::sync::LazyLock::new(|| Pii::new(RECORD.to_owned()));
static NUMBER: std::sync::LazyLock<Pii<String, Sensitive>> =
    std::sync::LazyLock::new(|| Pii::new(SSN.to_owned()));

#[test]
fn personal_data_goes_into_a_field_of_its_own_class_and_never_into_the_clear() {
    let clinic = Clinic::new();
    let sealed = |id, body| wait(clinic.vault.seal(&Note { id, body })).map_err(|error| error.kind());
    let sound = |to: &mut Fields<'_>| {
        to.put_pii("body", &*NUMBER).put("owner", Value::Text("ada"));
    };
    assert!(sealed("n-1", sound).is_ok());
    // Health data would show its last four characters to everybody.
    let graver = |to: &mut Fields<'_>| {
        to.put_pii("body", &*DIAGNOSIS).put("owner", Value::Text("ada"));
    };
    assert_eq!(sealed("n-1", graver).unwrap_err(), ErrorKind::Schema);
    // Signed clear fields are stored as they are.
    let bare = |to: &mut Fields<'_>| {
        to.put_pii("body", &*NUMBER).put_pii("owner", &*NUMBER);
    };
    assert_eq!(sealed("n-1", bare).unwrap_err(), ErrorKind::Schema);
}

#[test]
fn records_without_an_id_would_all_stand_in_one_place_and_are_refused() {
    let clinic = Clinic::new();
    let body = |to: &mut Fields<'_>| {
        to.put_pii("body", &*NUMBER).put("owner", Value::Text("ada"));
    };
    let refused = wait(clinic.vault.seal(&Note { id: "", body })).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Value);
    assert_eq!(SealedRow::new("north", Value::Text(""), 1).unwrap_err().kind(), ErrorKind::Value);
    let nowhere = CellPlace::new("north", "people", "", "ssn");
    let refused = wait(nowhere.seal(&clinic.keyring, Value::Text(SSN), Bucket::ONE)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Value);
}

static ASKED: AtomicUsize = AtomicUsize::new(0);

const LOOSE: Schema = Schema::new("patients", "patient", Type::Text)
    .sealed(&[
        Field::new("ssn", Type::Text, Class::Sensitive, Bucket::literal(16)),
        Field::new("creditCard", Type::Text, Class::Pan, Bucket::literal(32)),
        Field::new("medicalRecord", Type::Text, Class::Basic, Bucket::literal(256)),
    ])
    .clear(&[ClearField::new("owner", Type::Text), ClearField::new("ward", Type::Text)]);

/// Says something else of itself each time it is asked, and panics in the end.
struct Fickle;

impl Sealed for Fickle {
    type View = ();

    fn schema() -> &'static Schema {
        if ASKED.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) { Patient::schema() } else { &LOOSE }
    }

    fn place(&self) -> Place<'_> {
        Place::new("north", Value::Text("p-1"))
    }

    fn fields<'a>(&'a self, _: &mut Fields<'a>) {}

    fn view(opened: &mut Opened<'_>) -> Result<(), Error> {
        panic!("{opened:?}")
    }
}

#[test]
fn a_schema_that_changes_and_a_view_that_panics_show_nothing() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    let on = Resource::record("north", "patient", "p-1");
    let grant = clinic.grant(FieldSet::everything(), on);
    let covered = grant.covers(on).unwrap();
    for attempt in 0..4 {
        let outcome = catch_unwind(AssertUnwindSafe(|| wait(clinic.vault.open::<Fickle>(covered, &row))));
        match outcome {
            Ok(refused) => assert_eq!(refused.unwrap_err().kind(), ErrorKind::Integrity, "{attempt}"),
            Err(panic) => {
                let said = panic.downcast_ref::<String>().unwrap();
                assert!(![SSN, RECORD, "4111"].iter().any(|canary| said.contains(canary)), "{said}");
            }
        }
    }
    // The vault is whole afterwards.
    clinic.open(FieldSet::everything(), &row).unwrap();
}

#[test]
fn a_short_number_with_something_around_it_is_masked_whole() {
    for short in ["    1234", "1234    ", "-1-2-3-4", "........1234", "\u{200b}\u{200b}\u{200b}\u{200b}1234"]
    {
        let mask = Pii::<String, Sensitive>::new(short.to_owned()).masked();
        assert_eq!(mask, "***", "{short:?}");
    }
    assert_eq!(Pii::<String, Sensitive>::new(SSN.to_owned()).masked(), "***1120");
}
