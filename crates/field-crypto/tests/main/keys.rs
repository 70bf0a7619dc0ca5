//! Keys come and go under the rows: misses, rotation, shredding, outages.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bartizan_core::{Fault, FieldSet, Resource, SecretArray, SecretBytes, UnixTime};
use bartizan_crypto::{Lifecycle, Provider};
use bartizan_crypto_ring::Ring;
use bartizan_envelope::{
    Cell, Change, Error as EnvelopeError, ErrorKind as EnvelopeKind, KeyContext, KeyId, KeyRow, KeyStore,
    KeyWrapper, LocalMaster, MemoryKeyStore, Scope,
};
use bartizan_field_crypto::{
    Attempt, Changes, Error, ErrorKind, Fields, Opened, Place, Schema, Sealed, SealedRow, Value,
};
use bartizan_testkit::{ManualClock, SeededEntropy};

use crate::support::{Clinic, PATIENTS, Patient, PatientView, SSN, patient, stored, wait};

fn scope() -> Scope<'static> {
    Scope::new("north", "fields").unwrap()
}

fn changed(clinic: &Clinic, row: KeyRow, change: impl FnOnce(&mut KeyRow)) -> KeyRow {
    let mut new = row.clone();
    change(&mut new);
    assert_eq!(wait(clinic.store.update(&[(row, new.clone())])).unwrap(), Change::Made);
    new
}

/// What an operator's rotation does: a new key, and in one step the old one retires.
fn rotate(clinic: &Clinic, version: u32) -> KeyRow {
    let context = KeyContext::new(scope(), version, KeyId::from_bytes([u8::try_from(version).unwrap(); 8]));
    let mut payload = [version as u8; 64];
    payload[32..].copy_from_slice(&context.digest(Ring::new().hash()));
    let wrapped = wait(clinic.wrapper.wrap(&context, &SecretArray::new(payload))).unwrap();
    let pending = Lifecycle::Pending { active_from: UnixTime::EPOCH };
    let new = KeyRow::new(context.id(), scope(), version, pending, wrapped, UnixTime::EPOCH).unwrap();
    assert_eq!(wait(clinic.store.insert_if_absent(&new)).unwrap(), Change::Made);
    let old = wait(clinic.store.active(&scope())).unwrap().unwrap();
    let (mut retiring, mut active) = (old.clone(), new.clone());
    (retiring.state, active.state) = (Lifecycle::Retiring { until: UnixTime::MAX }, Lifecycle::Active);
    assert_eq!(wait(clinic.store.update(&[(old, retiring.clone()), (new, active)])).unwrap(), Change::Made);
    clinic.keyring.purge();
    retiring
}

#[test]
fn opening_is_synchronous_once_the_keys_are_at_hand() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    let on = Resource::record("north", "patient", "p-1");
    let grant = clinic.grant(FieldSet::everything(), on);
    let covered = grant.covers(on).unwrap();
    assert!(matches!(clinic.vault.try_open::<Patient>(covered, &row).unwrap(), Attempt::Done(_)));
    assert!(matches!(clinic.vault.try_seal(&patient("north", "p-2")).unwrap(), Attempt::Done(_)));
    clinic.keyring.purge();
    let Attempt::NeedsKey(needs) = clinic.vault.try_open::<Patient>(covered, &row).unwrap() else {
        panic!("at hand")
    };
    assert_eq!(needs.id(), Some(Cell::parse(row.record_seal()).unwrap().key_id()));
    wait(clinic.keyring.load(&needs)).unwrap();
    assert!(matches!(clinic.vault.try_open::<Patient>(covered, &row).unwrap(), Attempt::Done(_)));
    let Attempt::NeedsKey(needs) = clinic.vault.try_seal(&patient("north", "p-2")).unwrap() else {
        panic!("at hand")
    };
    assert_eq!(needs.id(), None);
}

#[test]
fn after_rotations_a_row_has_cells_of_several_keys_and_opens() {
    let clinic = Clinic::new();
    let mut row = clinic.sealed("north", "p-1");
    for (version, field) in [(2, "ssn"), (3, "creditCard")] {
        rotate(&clinic, version);
        row = wait(clinic.vault.update::<Patient>(&row, &Changes::none().set(field, Value::Text("new"))))
            .unwrap();
    }
    let keys: std::collections::HashSet<KeyId> =
        row.cells().map(|(_, cell)| Cell::parse(cell).unwrap().key_id()).collect();
    assert_eq!(keys.len(), 3);
    assert_eq!(Cell::parse(row.record_seal()).unwrap().key_id(), KeyId::from_bytes([3; 8]));
    clinic.keyring.purge();
    clinic.open(FieldSet::everything(), &stored(&row)).unwrap();
    // To whom nothing is shown, a retired key of a field that is not opened is not even loaded.
    clinic.keyring.purge();
    clinic.open(FieldSet::nothing(), &stored(&row)).unwrap();
}

#[test]
fn a_revoked_key_opens_nothing_and_is_told_apart_from_damage() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    let retired = rotate(&clinic, 2);
    let newer = clinic.sealed("north", "p-2");
    clinic.open(FieldSet::everything(), &row).unwrap();
    changed(&clinic, retired, |row| (row.state, row.wrapped) = (Lifecycle::Revoked, Vec::new()));
    // Until the cache has forgotten it.
    clinic.open(FieldSet::everything(), &row).unwrap();
    clinic.clock.advance(Duration::from_secs(300));
    let error = clinic.open(FieldSet::everything(), &row).unwrap_err();
    assert_eq!((error.kind(), error.fault()), (ErrorKind::KeyRevoked, Fault::Integrity));
    clinic.open(FieldSet::everything(), &newer).unwrap();
}

#[test]
fn without_an_active_key_nothing_is_sealed_and_none_is_made() {
    let clinic = Clinic::new();
    let row = clinic.sealed("north", "p-1");
    let active = wait(clinic.store.active(&scope())).unwrap().unwrap();
    changed(&clinic, active, |row| row.state = Lifecycle::Retiring { until: UnixTime::MAX });
    clinic.keyring.purge();
    let error = wait(clinic.vault.seal(&patient("north", "p-2"))).unwrap_err();
    assert_eq!((error.kind(), error.fault()), (ErrorKind::NoActiveKey, Fault::Caller));
    clinic.open(FieldSet::everything(), &row).unwrap();
}

/// A patient whose data is sealed under a key of their own.
struct Own(Patient);

impl Sealed for Own {
    type View = PatientView;

    fn schema() -> &'static Schema {
        &PATIENTS
    }

    fn place(&self) -> Place<'_> {
        self.0.place().of_subject(&self.0.id).at_version(7)
    }

    fn fields<'a>(&'a self, to: &mut Fields<'a>) {
        self.0.fields(to);
    }

    fn view(opened: &mut Opened<'_>) -> Result<PatientView, Error> {
        Patient::view(opened)
    }
}

#[test]
fn a_subjects_own_key_can_be_destroyed_alone() {
    let clinic = Clinic::new();
    let (ada, bob) = (Own(patient("north", "ada")), Own(patient("north", "bob")));
    let (ada, bob) = (wait(clinic.vault.seal(&ada)).unwrap(), wait(clinic.vault.seal(&bob)).unwrap());
    assert_eq!((ada.subject(), ada.version()), (Some("ada"), 7));
    let opens =
        |row: &SealedRow| clinic.open(FieldSet::everything(), row).map(drop).map_err(|error| error.kind());
    assert_eq!((opens(&ada), opens(&bob)), (Ok(()), Ok(())));
    let updated =
        wait(clinic.vault.update::<Own>(&ada, &Changes::none().set("ssn", Value::Text("new")))).unwrap();
    assert_eq!((updated.subject(), updated.version(), opens(&updated)), (Some("ada"), 8, Ok(())));

    // A row that says it is another subject's, or nobody's, is not opened with this one's key.
    assert_eq!(opens(&bob.clone().of_subject("ada")), Err(ErrorKind::Integrity));
    assert_eq!(opens(&stored(&ada)), Err(ErrorKind::Integrity));

    let key = wait(clinic.store.active(&scope().of_subject("ada").unwrap())).unwrap().unwrap();
    changed(&clinic, key, |row| (row.state, row.wrapped) = (Lifecycle::Revoked, Vec::new()));
    clinic.keyring.purge();
    assert_eq!((opens(&ada), opens(&bob)), (Err(ErrorKind::KeyRevoked), Ok(())));
}

/// A KMS that fails on command, or lets so much time pass that what it unwraps is too old at once.
#[derive(Debug)]
struct Kms {
    local: LocalMaster,
    fails: Mutex<Option<EnvelopeKind>>,
    slow: AtomicBool,
    clock: Mutex<Option<Arc<ManualClock>>>,
}

#[async_trait]
impl KeyWrapper for Kms {
    fn describe(&self) -> String {
        "kms".to_owned()
    }

    async fn wrap(
        &self,
        context: &KeyContext<'_>,
        payload: &SecretArray<64>,
    ) -> Result<Vec<u8>, EnvelopeError> {
        self.local.wrap(context, payload).await
    }

    async fn unwrap(&self, context: &KeyContext<'_>, wrapped: &[u8]) -> Result<SecretBytes, EnvelopeError> {
        if let Some(kind) = *self.fails.lock().unwrap() {
            return Err(kind.into());
        }
        if self.slow.load(Ordering::SeqCst) {
            self.clock.lock().unwrap().as_ref().unwrap().advance(Duration::from_secs(301));
        }
        self.local.unwrap(context, wrapped).await
    }
}

fn remote() -> (Clinic, Arc<Kms>) {
    let ring: Arc<dyn Provider> = Arc::new(Ring::new());
    let entropy = Arc::new(SeededEntropy::new(5));
    let local = LocalMaster::new(Arc::clone(&ring), &SecretArray::new([1; 32]), entropy).unwrap();
    let kms = Arc::new(Kms {
        local,
        fails: Mutex::new(None),
        slow: AtomicBool::new(false),
        clock: Mutex::new(None),
    });
    let clinic = Clinic::with(ring, kms.clone(), Arc::new(MemoryKeyStore::new()));
    *kms.clock.lock().unwrap() = Some(Arc::clone(&clinic.clock));
    (clinic, kms)
}

#[test]
fn an_outage_is_no_damage_and_may_pass() {
    for (kind, expected, fault) in [
        (EnvelopeKind::Unavailable, ErrorKind::Unavailable, Fault::Backend),
        (EnvelopeKind::Throttled, ErrorKind::Busy, Fault::Busy),
        (EnvelopeKind::Denied, ErrorKind::KeyManagement, Fault::Caller),
        (EnvelopeKind::Disabled, ErrorKind::KeyManagement, Fault::Caller),
        (EnvelopeKind::WrappingKey, ErrorKind::KeyManagement, Fault::Caller),
        (EnvelopeKind::Integrity, ErrorKind::Integrity, Fault::Integrity),
    ] {
        let (clinic, kms) = remote();
        let row = clinic.sealed("north", "p-1");
        *kms.fails.lock().unwrap() = Some(kind);
        // At hand it goes on.
        clinic.open(FieldSet::everything(), &row).unwrap();
        clinic.keyring.purge();
        let errors = [
            clinic.open(FieldSet::everything(), &row).unwrap_err(),
            wait(clinic.vault.attest::<Patient>(&row)).unwrap_err(),
            wait(clinic.vault.update::<Patient>(&row, &Changes::none())).unwrap_err(),
            wait(clinic.vault.seal(&patient("north", "p-2"))).unwrap_err(),
        ];
        for error in errors {
            assert_eq!((error.kind(), error.fault()), (expected, fault));
            assert_eq!(error.is_transient(), matches!(fault, Fault::Backend | Fault::Busy));
        }
        *kms.fails.lock().unwrap() = None;
        clinic.open(FieldSet::everything(), &row).unwrap();
    }
}

#[test]
fn keys_that_are_too_old_as_soon_as_they_are_loaded_end_in_busy_and_not_in_a_loop() {
    let (clinic, kms) = remote();
    let row = clinic.sealed("north", "p-1");
    clinic.keyring.purge();
    kms.slow.store(true, Ordering::SeqCst);
    let error = wait(clinic.vault.attest::<Patient>(&row)).unwrap_err();
    assert_eq!((error.kind(), error.fault()), (ErrorKind::Busy, Fault::Busy));
    kms.slow.store(false, Ordering::SeqCst);
    assert_eq!(row.clear("owner"), Some(Value::Text("ada")));
    clinic.open(FieldSet::everything(), &row).unwrap();
    assert!(!format!("{:?}", clinic.vault).contains(SSN));
}
