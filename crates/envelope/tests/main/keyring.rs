//! Scope keys: made once, found in their scope alone, kept for a while, and told apart from outages.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bartizan_core::{Clock, Entropy, Fault, SecretArray, SecretBytes, UnixTime};
use bartizan_crypto::Lifecycle;
use bartizan_envelope::{
    Attempt, Change, Error, ErrorKind, KeyContext, KeyId, KeyRow, KeyStore, KeyWrapper, Keyring, LocalMaster,
    MemoryKeyStore, Scope, Type, Value,
};
use bartizan_testkit::{BrokenEntropy, ManualClock, SeededEntropy};

use crate::support::{Service, id, patient, ring, wait};

fn scope() -> Scope<'static> {
    Scope::new("north", "fields").unwrap()
}

/// A KMS that counts, fails on command, and need not bind a context.
#[derive(Debug)]
struct Kms {
    local: LocalMaster,
    fails: Mutex<Option<ErrorKind>>,
    binds: bool,
    garbles: bool,
    wraps: AtomicUsize,
    unwraps: AtomicUsize,
}

impl Kms {
    fn new() -> Self {
        let local =
            LocalMaster::new(ring(), &SecretArray::new([0x4d; 32]), Arc::new(SeededEntropy::new(8))).unwrap();
        Self {
            local,
            fails: Mutex::new(None),
            binds: true,
            garbles: false,
            wraps: AtomicUsize::new(0),
            unwraps: AtomicUsize::new(0),
        }
    }

    fn fail(&self, kind: Option<ErrorKind>) {
        *self.fails.lock().unwrap() = kind;
    }

    fn answer(&self) -> Result<(), Error> {
        self.fails.lock().unwrap().map_or(Ok(()), |kind| Err(kind.into()))
    }
}

#[async_trait]
impl KeyWrapper for Kms {
    fn describe(&self) -> String {
        "kms".to_owned()
    }

    async fn wrap(&self, context: &KeyContext<'_>, payload: &SecretArray<64>) -> Result<Vec<u8>, Error> {
        self.wraps.fetch_add(1, Ordering::SeqCst);
        self.answer()?;
        if self.binds {
            self.local.wrap(context, payload).await
        } else {
            Ok(payload.expose().map(|b| !b).to_vec())
        }
    }

    async fn unwrap(&self, context: &KeyContext<'_>, wrapped: &[u8]) -> Result<SecretBytes, Error> {
        self.unwraps.fetch_add(1, Ordering::SeqCst);
        self.answer()?;
        let mut payload = match self.binds {
            true => self.local.unwrap(context, wrapped).await?.expose().to_vec(),
            false => wrapped.iter().map(|byte| !byte).collect(),
        };
        if self.garbles {
            payload[0] ^= 1;
        }
        Ok(SecretBytes::new(payload))
    }
}

struct World {
    kms: Arc<Kms>,
    store: Arc<dyn KeyStore>,
    clock: Arc<ManualClock>,
    keyring: Keyring,
}

impl World {
    fn new() -> Self {
        Self::with(Kms::new(), Arc::new(MemoryKeyStore::new()))
    }

    fn with(kms: Kms, store: Arc<dyn KeyStore>) -> Self {
        let (kms, clock) = (Arc::new(kms), Arc::new(ManualClock::at(UnixTime::from_secs(1_000))));
        let entropy = Arc::new(SeededEntropy::new(1));
        let keyring = Keyring::new(ring(), kms.clone(), Arc::clone(&store), clock.clone(), entropy).unwrap();
        Self { kms, store, clock, keyring }
    }

    fn active(&self) -> Result<KeyId, ErrorKind> {
        wait(self.keyring.active(&scope())).map(|key| key.id()).map_err(|error| error.kind())
    }

    fn key(&self, id: KeyId) -> Result<KeyId, ErrorKind> {
        wait(self.keyring.key(&scope(), id)).map(|key| key.id()).map_err(|error| error.kind())
    }

    fn row(&self, id: KeyId) -> KeyRow {
        wait(self.store.get("north", "fields", id)).unwrap().unwrap()
    }

    fn change(&self, id: KeyId, change: impl FnOnce(&mut KeyRow)) {
        let old = self.row(id);
        let mut new = old.clone();
        change(&mut new);
        assert_eq!(wait(self.store.update(&[(old, new)])).unwrap(), Change::Made);
    }
}

#[test]
fn the_first_key_of_a_scope_is_made_once_and_found_again() {
    let world = World::new();
    let id = world.active().unwrap();
    assert_eq!((world.active(), world.key(id)), (Ok(id), Ok(id)));
    let row = world.row(id);
    assert_eq!((row.version, row.state, row.created), (1, Lifecycle::Active, UnixTime::from_secs(1_000)));
    assert_eq!(wait(world.store.list(None, None, 10)).unwrap().len(), 1);
}

#[test]
fn on_a_hit_nobody_is_asked_and_nothing_waits() {
    let world = World::new();
    let id = world.active().unwrap();
    let unwraps = world.kms.unwraps.load(Ordering::SeqCst);
    for _ in 0..1_000 {
        assert!(matches!(world.keyring.try_active(&scope()), Attempt::Done(key) if key.id() == id));
        assert!(matches!(world.keyring.try_key(&scope(), id).unwrap(), Attempt::Done(key) if key.id() == id));
    }
    assert_eq!(world.kms.unwraps.load(Ordering::SeqCst), unwraps);
}

#[test]
fn a_miss_says_which_key_and_loading_it_makes_it_a_hit() {
    let world = World::new();
    let id = world.active().unwrap();
    world.keyring.purge();
    let Attempt::NeedsKey(needs) = world.keyring.try_key(&scope(), id).unwrap() else { panic!("a hit") };
    assert_eq!(needs.id(), Some(id));
    wait(world.keyring.load(&needs)).unwrap();
    assert!(matches!(world.keyring.try_key(&scope(), id).unwrap(), Attempt::Done(_)));
    let Attempt::NeedsKey(needs) = world.keyring.try_active(&scope()) else { panic!("a hit") };
    assert_eq!(needs.id(), None);
    wait(world.keyring.load(&needs)).unwrap();
    assert!(matches!(world.keyring.try_active(&scope()), Attempt::Done(_)));
}

#[test]
fn a_keys_age_counts_from_its_loading_and_not_from_its_use() {
    let world = World::new();
    let id = world.active().unwrap();
    world.change(id, |row| row.state = Lifecycle::Revoked);
    for _ in 0..299 {
        world.clock.advance(Duration::from_secs(1));
        assert_eq!((world.key(id), world.active()), (Ok(id), Ok(id)));
    }
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.key(id), Err(ErrorKind::KeyRevoked));
    assert_eq!(world.active(), Err(ErrorKind::NoActiveKey), "nothing comes back by itself");
}

#[test]
fn a_purge_makes_a_revocation_count_at_once() {
    for purge in [Keyring::purge as fn(&Keyring), |keyring| keyring.purge_tenant("north")] {
        let world = World::new();
        let id = world.active().unwrap();
        world.change(id, |row| row.state = Lifecycle::Revoked);
        world.keyring.purge_tenant("south");
        assert_eq!(world.key(id), Ok(id));
        purge(&world.keyring);
        assert_eq!(world.key(id), Err(ErrorKind::KeyRevoked));
    }
}

#[test]
fn a_ttl_beyond_the_limits_is_bent_to_them() {
    for (asked, ends_after) in [(Duration::ZERO, 1), (Duration::from_secs(1_000_000), 3_600)] {
        let mut world = World::new();
        world.keyring = world.keyring.with_ttl(asked);
        let id = world.active().unwrap();
        world.change(id, |row| row.state = Lifecycle::Revoked);
        world.clock.advance(Duration::from_secs(ends_after) - Duration::from_nanos(1));
        assert_eq!(world.key(id), Ok(id));
        world.clock.advance(Duration::from_nanos(1));
        assert_eq!(world.key(id), Err(ErrorKind::KeyRevoked));
    }
}

#[test]
fn a_retiring_key_opens_until_its_end_even_from_the_cache_and_seals_no_more() {
    let world = World::new();
    let id = world.active().unwrap();
    let until = world.clock.wall().saturating_add(Duration::from_secs(10));
    world.change(id, |row| row.state = Lifecycle::Retiring { until });
    world.keyring.purge();
    assert_eq!(world.active(), Err(ErrorKind::NoActiveKey));
    assert_eq!(world.key(id), Ok(id));
    world.clock.advance(Duration::from_secs(9));
    assert_eq!(world.key(id), Ok(id));
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.key(id), Err(ErrorKind::KeyRevoked));
}

#[test]
fn keys_are_found_in_their_tenant_purpose_and_subject_alone() {
    let world = World::new();
    let id = world.active().unwrap();
    for warm in [true, false] {
        if !warm {
            world.keyring.purge();
        }
        for (other, kind) in [
            (Scope::new("south", "fields").unwrap(), ErrorKind::KeyNotFound),
            (Scope::new("north", "audit").unwrap(), ErrorKind::KeyNotFound),
            (scope().of_subject("ada").unwrap(), ErrorKind::Scope),
        ] {
            assert!(matches!(world.keyring.try_key(&other, id).unwrap(), Attempt::NeedsKey(_)));
            assert_eq!(wait(world.keyring.key(&other, id)).unwrap_err().kind(), kind);
        }
    }
    let subject = wait(world.keyring.active(&scope().of_subject("ada").unwrap())).unwrap();
    assert_ne!(subject.id(), id);
    assert_eq!(world.key(subject.id()), Err(ErrorKind::Scope), "a subject's key is not its tenant's");
}

/// Answers another scope's row to whatever is asked.
#[derive(Debug)]
struct LyingStore(MemoryKeyStore, Mutex<Option<KeyRow>>);

#[async_trait]
impl KeyStore for LyingStore {
    async fn get(&self, _: &str, _: &str, _: KeyId) -> Result<Option<KeyRow>, Error> {
        Ok(self.1.lock().unwrap().clone())
    }

    async fn active(&self, _: &Scope<'_>) -> Result<Option<KeyRow>, Error> {
        Ok(self.1.lock().unwrap().clone())
    }

    async fn insert_if_absent(&self, row: &KeyRow) -> Result<Change, Error> {
        self.0.insert_if_absent(row).await
    }

    async fn update(&self, rows: &[(KeyRow, KeyRow)]) -> Result<Change, Error> {
        self.0.update(rows).await
    }

    async fn list(
        &self,
        tenant: Option<&str>,
        after: Option<KeyId>,
        limit: usize,
    ) -> Result<Vec<KeyRow>, Error> {
        self.0.list(tenant, after, limit).await
    }
}

#[test]
fn the_scope_is_compared_before_key_management_is_asked() {
    let lies = |row: KeyRow| {
        let id = row.id;
        let world =
            World::with(Kms::new(), Arc::new(LyingStore(MemoryKeyStore::new(), Mutex::new(Some(row)))));
        let answers = (world.key(id), world.active());
        assert_eq!(world.kms.unwraps.load(Ordering::SeqCst), 0);
        answers
    };
    let in_state = |scope: Scope<'_>, state: Lifecycle| {
        KeyRow::new(id(1), scope, 1, state, vec![0; 146], UnixTime::EPOCH).unwrap()
    };
    for other in [
        Scope::new("south", "fields").unwrap(),
        Scope::new("north", "audit").unwrap(),
        scope().of_subject("ada").unwrap(),
    ] {
        assert_eq!(lies(in_state(other, Lifecycle::Active)), (Err(ErrorKind::Scope), Err(ErrorKind::Scope)));
    }
    let revoked = in_state(scope(), Lifecycle::Revoked);
    assert_eq!(lies(revoked), (Err(ErrorKind::KeyRevoked), Err(ErrorKind::Integrity)));
    let pending = in_state(scope(), Lifecycle::Pending { active_from: UnixTime::EPOCH });
    let world =
        World::with(Kms::new(), Arc::new(LyingStore(MemoryKeyStore::new(), Mutex::new(Some(pending)))));
    assert_eq!(world.active(), Err(ErrorKind::Integrity), "a pending key seals nothing");
    assert_eq!(world.key(id(2)), Err(ErrorKind::Integrity), "the row of another id");
}

#[test]
fn the_row_of_another_key_is_not_taken_for_the_one_asked_for() {
    let sound = World::new();
    let row = sound.row(sound.active().unwrap());
    let world =
        World::with(Kms::new(), Arc::new(LyingStore(MemoryKeyStore::new(), Mutex::new(Some(row.clone())))));
    assert_eq!(world.key(row.id), Ok(row.id));
    world.keyring.purge();
    assert_eq!(world.key(id(2)), Err(ErrorKind::Integrity));
    assert!(
        matches!(world.keyring.try_key(&scope(), row.id).unwrap(), Attempt::NeedsKey(_)),
        "nothing was kept"
    );
}

#[test]
fn a_key_wrapped_under_another_master_key_is_told_apart_from_a_damaged_one() {
    let master = |byte: u8| {
        LocalMaster::new(ring(), &SecretArray::new([byte; 32]), Arc::new(SeededEntropy::new(9))).unwrap()
    };
    let (ours, theirs) = (master(1), master(2));
    assert_ne!(ours.id(), theirs.id());
    let context = KeyContext::new(scope(), 1, id(1));
    let mut wrapped = wait(theirs.wrap(&context, &SecretArray::new([7; 64]))).unwrap();
    let refused = |wrapped: &[u8]| wait(ours.unwrap(&context, wrapped)).unwrap_err().kind();
    assert_eq!(refused(&wrapped), ErrorKind::WrappingKey);
    // Made to look like ours, it is damaged.
    wrapped[2..10].copy_from_slice(&ours.id());
    assert_eq!(refused(&wrapped), ErrorKind::Integrity);
    assert_eq!(refused(&wrapped[1..]), ErrorKind::Integrity);
    let shown = format!("{ours:?} {:?} {}", ours.describe(), KeyId::from_bytes(ours.id()));
    assert!(!shown.contains("0101010101") && shown.contains("local:"), "{shown}");
}

#[test]
fn a_wrapped_key_in_another_row_is_refused_even_when_key_management_binds_nothing() {
    for binds in [true, false] {
        let world = World::with(Kms { binds, ..Kms::new() }, Arc::new(MemoryKeyStore::new()));
        let south = Scope::new("south", "fields").unwrap();
        let (ours, theirs) = (world.active().unwrap(), wait(world.keyring.active(&south)).unwrap().id());
        let stolen = wait(world.store.get("south", "fields", theirs)).unwrap().unwrap().wrapped;
        world.change(ours, |row| row.wrapped = stolen);
        world.keyring.purge();
        assert_eq!((world.key(ours), world.active()), (Err(ErrorKind::Integrity), Err(ErrorKind::Integrity)));
        assert!(wait(world.keyring.key(&south, theirs)).is_ok());
    }
}

#[test]
fn a_payload_of_another_length_is_refused() {
    for length in [0, 32, 63, 65, 96] {
        let world = World::with(Kms { binds: false, ..Kms::new() }, Arc::new(MemoryKeyStore::new()));
        let id = world.active().unwrap();
        world.change(id, |row| row.wrapped.resize(length, 0));
        world.keyring.purge();
        assert_eq!(world.key(id), Err(ErrorKind::Integrity), "{length}");
    }
}

#[test]
fn racing_creators_end_with_one_key() {
    let store = Arc::new(MemoryKeyStore::new());
    let ids: Vec<KeyId> = std::thread::scope(|threads| {
        let started: Vec<_> = (0..8)
            .map(|seed| {
                let store = Arc::clone(&store);
                threads.spawn(move || {
                    let service = Service::on(ring(), store, Arc::new(SeededEntropy::new(seed)));
                    service.key("north").id()
                })
            })
            .collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(wait(store.list(None, None, 10)).unwrap().len(), 1);
}

#[test]
fn outages_are_told_apart_from_damage_and_leave_nothing_behind() {
    for (kind, fault, transient) in [
        (ErrorKind::Unavailable, Fault::Backend, true),
        (ErrorKind::Throttled, Fault::Busy, true),
        (ErrorKind::Denied, Fault::Caller, false),
        (ErrorKind::Disabled, Fault::Caller, false),
    ] {
        let world = World::new();
        world.kms.fail(Some(kind));
        let error = wait(world.keyring.active(&scope())).unwrap_err();
        assert_eq!((error.kind(), error.fault(), error.is_transient()), (kind, fault, transient));
        assert!(wait(world.store.list(None, None, 10)).unwrap().is_empty());
        world.kms.fail(None);
        let id = world.active().unwrap();
        // What is at hand goes on working through an outage, until its time has passed.
        world.kms.fail(Some(kind));
        assert_eq!(world.key(id), Ok(id));
        world.clock.advance(Duration::from_secs(300));
        assert_eq!((world.key(id), world.active()), (Err(kind), Err(kind)));
    }
}

#[test]
fn a_wrapper_that_cannot_read_back_its_wrap_is_not_trusted_with_a_key() {
    let world = World::with(Kms { garbles: true, ..Kms::new() }, Arc::new(MemoryKeyStore::new()));
    assert_eq!(world.active(), Err(ErrorKind::Integrity));
    assert!(wait(world.store.list(None, None, 10)).unwrap().is_empty());
}

#[test]
fn without_randomness_there_are_no_keys_and_no_keyrings() {
    let clock = Arc::new(ManualClock::at(UnixTime::EPOCH));
    let store = Arc::new(MemoryKeyStore::new());
    let made = Keyring::new(ring(), Arc::new(Kms::new()), store, clock, Arc::new(BrokenEntropy));
    assert_eq!(made.unwrap_err().kind(), ErrorKind::Entropy);
    let master = SecretArray::new([1; 32]);
    assert_eq!(
        LocalMaster::new(ring(), &master, Arc::new(BrokenEntropy)).unwrap_err().kind(),
        ErrorKind::Entropy
    );
    assert!(BrokenEntropy.fill(&mut [0]).is_err());
}

#[test]
fn one_call_of_key_management_serves_all_records_of_a_tenant() {
    let world = World::new();
    let key = wait(world.keyring.active(&scope())).unwrap();
    for row in 0..100 {
        let id = format!("p-{row}");
        let context = patient(&id);
        let mut write = world.keyring.sealer().write(&key, &context).unwrap();
        write.field("ssn", Type::Text, Some(Value::Text("x")), crate::support::BUCKET).unwrap();
        write.seal().unwrap();
    }
    // One to wrap the new key and one to read it back.
    assert_eq!(
        (world.kms.wraps.load(Ordering::SeqCst), world.kms.unwraps.load(Ordering::SeqCst)),
        (1, 1 + 1)
    );
}
