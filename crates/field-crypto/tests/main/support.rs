//! A clinic that a test holds in its hand.

use std::{sync::Arc, time::Duration};

use bartizan_core::{
    Attestation, Authorizer, Decision, FieldSet, Grant, Health, JobPolicy, Pan, Permission, Pii, Principal,
    PrincipalFacts, Resource, RuleId, SecretArray, Sensitive, UnixTime, Verdict,
};
use bartizan_crypto::Provider;
use bartizan_crypto_ring::Ring;
use bartizan_envelope::{KeyStore, KeyWrapper, Keyring, LocalMaster, MemoryKeyStore};
use bartizan_field_crypto::{
    Bucket, Class, ClearField, Error, Field, Fields, Opened, Place, Schema, Sealed, SealedRow, Shown, Type,
    Value, Vault,
};
use bartizan_testkit::{ManualClock, MemoryRecorder, ScriptedEngine, SeededEntropy};

/// One permission for each kind of record: the engine is asked in the record's own words.
const READS: [(&str, Permission); 3] = [
    ("patient", Permission::literal("patient:read")),
    ("doctor", Permission::literal("doctor:read")),
    ("people", Permission::literal("people:read")),
];

pub(crate) const PATIENTS: Schema = Schema::new("patients", "patient", Type::Text)
    .sealed(&[
        Field::new("ssn", Type::Text, Class::Sensitive, Bucket::literal(16)),
        Field::new("creditCard", Type::Text, Class::Pan, Bucket::literal(32)),
        Field::new("medicalRecord", Type::Text, Class::Health, Bucket::literal(256)),
        Field::new("born", Type::Date, Class::Sensitive, Bucket::ONE),
    ])
    .clear(&[ClearField::new("owner", Type::Text), ClearField::new("ward", Type::Text)])
    .owner("owner")
    .team("ward");

pub(crate) struct Patient {
    pub(crate) tenant: String,
    pub(crate) id: String,
    pub(crate) owner: Option<String>,
    pub(crate) ssn: Pii<String, Sensitive>,
    pub(crate) card: Option<String>,
    pub(crate) record: Pii<String, Health>,
}

#[derive(Debug)]
pub(crate) struct PatientView {
    pub(crate) id: String,
    pub(crate) owner: Option<String>,
    pub(crate) ssn: Shown<String, Sensitive>,
    pub(crate) card: Shown<String, Pan>,
    pub(crate) record: Shown<String, Health>,
    pub(crate) born: Shown<i32, Sensitive>,
}

impl Sealed for Patient {
    type View = PatientView;

    fn schema() -> &'static Schema {
        &PATIENTS
    }

    fn place(&self) -> Place<'_> {
        Place::new(&self.tenant, Value::Text(&self.id))
    }

    fn fields<'a>(&'a self, to: &mut Fields<'a>) {
        to.put_pii("ssn", &self.ssn)
            .put("creditCard", self.card.as_deref().map(Value::Text))
            .put_pii("medicalRecord", &self.record)
            .put("born", Value::Date(-3_650))
            .put("owner", self.owner.as_deref().map(Value::Text))
            .put("ward", Value::Text("3b"));
    }

    fn view(opened: &mut Opened<'_>) -> Result<PatientView, Error> {
        let owner = match opened.clear("owner")? {
            Some(Value::Text(owner)) => Some(owner.to_owned()),
            _ => None,
        };
        Ok(PatientView {
            id: opened.id().to_owned(),
            owner,
            ssn: opened.take("ssn")?,
            card: opened.take("creditCard")?,
            record: opened.take("medicalRecord")?,
            born: opened.take("born")?,
        })
    }
}

pub(crate) const SSN: &str = "078-05-1120";
pub(crate) const CARD: &str = "4111111111111111";
pub(crate) const RECORD: &str = "allergic to penicillin";

pub(crate) fn patient(tenant: &str, id: &str) -> Patient {
    Patient {
        tenant: tenant.to_owned(),
        id: id.to_owned(),
        owner: Some("ada".to_owned()),
        ssn: Pii::new(SSN.to_owned()),
        card: Some(CARD.to_owned()),
        record: Pii::new(RECORD.to_owned()),
    }
}

/// Authorizer, vault, keys and clock of one service.
pub(crate) struct Clinic {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) engine: Arc<ScriptedEngine>,
    pub(crate) authorizer: Authorizer,
    pub(crate) wrapper: Arc<dyn KeyWrapper>,
    pub(crate) store: Arc<MemoryKeyStore>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) vault: Vault,
}

impl Clinic {
    pub(crate) fn new() -> Self {
        Self::on(Arc::new(Ring::new()))
    }

    pub(crate) fn on(provider: Arc<dyn Provider>) -> Self {
        let entropy = Arc::new(SeededEntropy::new(5));
        let master = SecretArray::new([0x4d; 32]);
        let wrapper = LocalMaster::new(Arc::clone(&provider), &master, entropy).unwrap();
        Self::with(provider, Arc::new(wrapper), Arc::new(MemoryKeyStore::new()))
    }

    pub(crate) fn with(
        provider: Arc<dyn Provider>,
        wrapper: Arc<dyn KeyWrapper>,
        store: Arc<MemoryKeyStore>,
    ) -> Self {
        let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_700_000_000)));
        let engine = Arc::new(ScriptedEngine::allowing());
        let authorizer = authorizer(Arc::clone(&engine), Arc::clone(&clock), 1);
        let entropy = Arc::new(SeededEntropy::new(6));
        let keys = Arc::clone(&store) as Arc<dyn KeyStore>;
        let wrap = Arc::clone(&wrapper);
        let keyring = Arc::new(Keyring::new(provider, wrap, keys, clock.clone(), entropy).unwrap());
        let vault = Vault::new(authorizer.authority(), Arc::clone(&keyring), clock.clone());
        Self { clock, engine, authorizer, wrapper, store, keyring, vault }
    }

    pub(crate) fn sealed(&self, tenant: &str, id: &str) -> SealedRow {
        wait(self.vault.seal(&patient(tenant, id))).unwrap()
    }

    /// A grant that shows these fields in clear.
    pub(crate) fn grant(&self, clear: FieldSet, on: Resource<'_>) -> Grant {
        self.engine.answer(Verdict::Allow { rule: RuleId(1), clear, until: UnixTime::MAX });
        granted(&self.authorizer, on)
    }

    /// Opens a row under a grant for it, as an honest service does.
    pub(crate) fn open(&self, clear: FieldSet, row: &SealedRow) -> Result<PatientView, Error> {
        let on = Resource::record(row.tenant(), "patient", row.id());
        let grant = self.grant(clear, on);
        wait(self.vault.open::<Patient>(grant.covers(on).unwrap(), row))
    }
}

pub(crate) fn authorizer(engine: Arc<ScriptedEngine>, clock: Arc<ManualClock>, seed: u64) -> Authorizer {
    let recorder = Arc::new(MemoryRecorder::default());
    Authorizer::new("clinic", engine, JobPolicy::none(), recorder, clock, &SeededEntropy::new(seed)).unwrap()
}

pub(crate) fn granted(authorizer: &Authorizer, on: Resource<'_>) -> Grant {
    let who = Principal::attested(Attestation::Assertion, PrincipalFacts::new(on.tenant(), "dora")).unwrap();
    let (_, read) = READS.iter().find(|(kind, _)| *kind == on.kind()).unwrap();
    match authorizer.decide(&who, *read, on) {
        Decision::Allow(grant) => grant,
        other => panic!("{other:?}"),
    }
}

/// The same row with other cells, fields or seal: what somebody with the database can make.
pub(crate) fn rebuilt(
    row: &SealedRow,
    tenant: &str,
    id: &str,
    cell: impl Fn(&str) -> Option<Vec<u8>>,
) -> SealedRow {
    let mut new = SealedRow::new(tenant, Value::Text(id), row.version()).unwrap();
    for (name, _) in row.cells() {
        if let Some(bytes) = cell(name) {
            new = new.with_cell(name, bytes);
        }
    }
    new.with_clear("owner", row.clear("owner"))
        .unwrap()
        .with_clear("ward", row.clear("ward"))
        .unwrap()
        .with_record_seal(row.record_seal())
}

/// The row as it comes back from a database.
pub(crate) fn stored(row: &SealedRow) -> SealedRow {
    rebuilt(row, row.tenant(), row.id(), |name| row.cell(name).map(<[u8]>::to_vec))
}

/// Runs a future that waits for nothing but this process.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
