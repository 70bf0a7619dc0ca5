//! `bartizan field`: seals, opens and looks at one cell.
//!
//! Opening takes the road that a service takes: the operator is a principal, an [`Authorizer`] decides by a policy and puts
//! the decision on record, and the vault believes its grant. There is no way to open with the keys alone.

use std::{future::poll_fn, path::Path, sync::Arc};

use bartizan::{
    audit_events::Event,
    core::{
        Attestation, Authorizer, Clock, Decision, Detail, DetailValue, Fault, JobPolicy, JsonLines, Origin,
        Permission, Principal, PrincipalFacts, Recorder, Resource, SecretArray, Subject, Target, os,
    },
    envelope::{self, Keyring, LocalMaster},
    field_crypto::{Bucket, CellPlace, Error, ErrorKind, Type, Value, Vault},
    rbac::{Assignments, Engine, HeldAssignments, Policy},
};
use bartizan_keys_sqlite::SqliteKeyStore;
use bartizan_sqlite_writer::{Database, Place};
use serde::Serialize;

use crate::{
    args::{Cell, Field},
    input::{self, SecretSource},
    key_file::PRIVATE,
    outcome::{Ended, Outcome, Unusable, refuse, say},
    runtime::until_done,
};

/// The name in records.
const SERVICE: &str = "bartizan";

/// The role that the policy lets open.
const OPERATOR: &str = "operator";

pub(crate) fn run(command: &Field) -> Ended {
    match command {
        Field::Seal { cell, bucket, value } => until_done(seal(cell, *bucket, value)),
        Field::Open { cell, policy, record } => until_done(open(cell, policy, record)),
        Field::Inspect => inspect(),
    }
}

#[derive(Serialize)]
struct Sealed {
    cell: String,
}

async fn seal(cell: &Cell, bucket: u16, value: &SecretSource) -> Ended {
    let bucket = Bucket::new(bucket).ok_or_else(|| Unusable::new("a bucket has at least one byte"))?;
    let keyring = keyring(cell).await?;
    let text = value.read()?;
    let sealed = place(cell).seal(&keyring, Value::Text(text.expose()), bucket).await;
    let sealed = sealed.map_err(|error| Unusable::of("sealing", error))?;
    let parsed = envelope::Cell::parse(&sealed).map_err(|error| Unusable::of("sealing", error))?;
    say(&Sealed { cell: parsed.to_text() })?;
    Ok(Outcome::Done)
}

#[derive(Serialize)]
struct Opened<'a> {
    ok: bool,
    value: Option<&'a str>,
}

async fn open(cell: &Cell, policy: &Path, record: &Path) -> Ended {
    let Some(sealed) = cell_on_stdin()? else {
        return refuse("format");
    };
    if !cell.keys.exists() {
        // Opening makes no keys, so it makes no file for them either.
        return Err(Unusable::of(cell.keys.display(), "no such file"));
    }
    let keyring = keyring(cell).await?;
    let who = operator(&cell.tenant)?;
    let assigned = HeldAssignments::new().assign(&*cell.tenant, who.subject(), OPERATOR);
    let engine = Engine::new(read_policy(policy)?, Assignments::Held(assigned));
    let recorder = JsonLines::append_to(record).map_err(|error| Unusable::of(record.display(), error))?;
    let recorder: Arc<dyn Recorder> = Arc::new(recorder);
    let clock = Arc::new(os::SystemClock);
    let authorizer = Authorizer::new(
        SERVICE,
        engine,
        JobPolicy::none(),
        Arc::clone(&recorder),
        clock.clone(),
        &os::OsEntropy,
    )
    .map_err(Unusable::new)?;
    let vault = Vault::new(authorizer.authority(), Arc::new(keyring), clock);

    let on = Resource::record(&cell.tenant, &cell.table, &cell.row);
    let decision = authorizer.decide_durably(&who, permission(&cell.table)?, on).await;
    let grant = match decision {
        Decision::Allow(grant) => grant,
        Decision::Deny(_) => return refuse("denied"),
        Decision::Indeterminate(cause) => return Err(Unusable::new(cause)),
    };
    let covered = grant.covers(on).map_err(Unusable::new)?;
    let opening = Opening { recorder: &*recorder, who: &who, on, field: &cell.field };
    let shown = match vault.danger_open_cell::<String>(covered, place(cell), Type::Text, &sealed).await {
        Ok(shown) if shown.is_masked() => {
            opening.record(Event::FIELD_OPEN_REFUSED).await?;
            return refuse("denied");
        }
        Ok(shown) => shown,
        Err(error) => {
            opening.record(Event::CRYPT_DECRYPT_FAIL).await?;
            return refuse(code(error)?);
        }
    };
    // SECURITY: on record before anybody sees it.
    opening.record(Event::SENSITIVE_READ).await?;
    let value = shown.expose(covered).map_err(Unusable::new)?;
    say(&Opened { ok: true, value: value.map(String::as_str) })?;
    Ok(Outcome::Done)
}

/// What becomes of a granted opening, on record beside the decision, which does not name the field.
struct Opening<'a> {
    recorder: &'a dyn Recorder,
    who: &'a Principal,
    on: Resource<'a>,
    field: &'a str,
}

impl Opening<'_> {
    async fn record(&self, event: Event) -> Result<(), Unusable> {
        let details = [Detail { name: "field", value: DetailValue::Text(self.field) }];
        let (subject, target) = (Subject::Principal(self.who), Target::Resource(self.on));
        let origin = Origin::service(SERVICE).of(self.who);
        let fact =
            event.fact(event.outcome(), os::SystemClock.wall(), subject, target, origin).with(&details);
        let ticket = self.recorder.record(&fact).map_err(Unusable::new)?;
        poll_fn(|cx| self.recorder.poll_durable(ticket, cx)).await.map_err(Unusable::new)
    }
}

/// The word for a cell that does not open; else why it could not be tried.
fn code(error: Error) -> Result<&'static str, Unusable> {
    match error.kind() {
        ErrorKind::KeyRevoked => Ok("key_revoked"),
        // A cell of another tenant names a key that this one does not have: altered or moved, like all others.
        _ if error.fault() == Fault::Integrity => Ok("integrity"),
        _ => Err(Unusable::of("opening", error)),
    }
}

#[derive(Serialize)]
struct Inspected {
    ok: bool,
    version: u8,
    suite: u8,
    key_id: String,
    ordinal: u16,
    padded_length: usize,
    record_seal: bool,
}

fn inspect() -> Ended {
    let Some(bytes) = cell_on_stdin()? else {
        return refuse("format");
    };
    let (Ok(cell), [_, version, suite, ..]) = (envelope::Cell::parse(&bytes), bytes.as_slice()) else {
        return refuse("format");
    };
    say(&Inspected {
        ok: true,
        version: *version,
        suite: *suite,
        key_id: cell.key_id().to_string(),
        ordinal: cell.ordinal(),
        padded_length: cell.padded_len(),
        record_seal: cell.is_record_seal(),
    })?;
    Ok(Outcome::Done)
}

/// The bytes of the cell on stdin, bare or as `field seal` prints it; nothing when it is none.
fn cell_on_stdin() -> Result<Option<Vec<u8>>, Unusable> {
    #[derive(serde::Deserialize)]
    struct Printed {
        cell: String,
    }

    let Some(bytes) = input::stdin_within_limit()? else {
        return Ok(None);
    };
    let Ok(text) = std::str::from_utf8(bytes.expose()) else {
        return Ok(None);
    };
    let printed = serde_json::from_str::<Printed>(text);
    let text = printed.as_ref().map_or_else(|_| input::without_newline(text), |printed| &printed.cell);
    Ok(envelope::Cell::decode_text(text).ok())
}

fn place(cell: &Cell) -> CellPlace<'_> {
    CellPlace::new(&cell.tenant, &cell.table, &cell.row, &cell.field)
}

async fn keyring(cell: &Cell) -> Result<Keyring, Unusable> {
    let (provider, clock, entropy) = (Arc::new(PRIVATE), Arc::new(os::SystemClock), Arc::new(os::OsEntropy));
    let master = master(&cell.master)?;
    let wrapper = LocalMaster::new(provider.clone(), &master, entropy.clone()).map_err(Unusable::new)?;
    let of_keys = |error| Unusable::of(cell.keys.display(), error);
    let database = Database::open(Place::File(cell.keys.clone())).map_err(of_keys)?;
    let store = SqliteKeyStore::open(Arc::new(database)).await.map_err(of_keys)?;
    Keyring::new(provider, Arc::new(wrapper), Arc::new(store), clock, entropy).map_err(Unusable::new)
}

/// A master key: its 32 bytes, or those as 64 hex digits.
fn master(path: &Path) -> Result<SecretArray<32>, Unusable> {
    let bytes = input::private_file(path)?;
    let unusable = || Unusable::of(path.display(), "a master key is a file of 32 bytes, or of 64 hex digits");
    SecretArray::try_filled(|key| {
        if bytes.expose().len() == key.len() {
            key.copy_from_slice(bytes.expose());
            return Ok(());
        }
        let digits = bytes.expose().trim_ascii_end();
        if digits.len() != 2 * key.len() {
            return Err(unusable());
        }
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else {
                return Err(unusable());
            };
            let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
            *byte = value(*high).zip(value(*low)).map(|(high, low)| high << 4 | low).ok_or_else(unusable)?;
        }
        Ok(())
    })
}

/// Whoever runs the command, as the operating system knows them; the environment can say anything.
fn operator(tenant: &str) -> Result<Principal, Unusable> {
    let subject = format!("uid-{}", rustix::process::getuid().as_raw());
    let facts = PrincipalFacts::new(tenant, subject).with_roles([OPERATOR]);
    Principal::attested(Attestation::Operator, facts).map_err(|error| Unusable::of("the tenant", error))
}

fn read_policy(path: &Path) -> Result<Policy, Unusable> {
    let bytes = input::file(path)?;
    let text = std::str::from_utf8(bytes.expose()).map_err(|_| Unusable::of(path.display(), "not UTF-8"))?;
    Policy::parse(text).map_err(|error| Unusable::of(path.display(), error))
}

/// `<table>:open`, whose every use is on record first. Leaked, as permissions are constants elsewhere: the program ends with
/// this one command.
fn permission(table: &str) -> Result<Permission, Unusable> {
    let name: &'static str = format!("{table}:open").leak();
    let permission =
        Permission::parse(name).map_err(|_| Unusable::of("the table", "no permission can name it"))?;
    Ok(permission.critical())
}
