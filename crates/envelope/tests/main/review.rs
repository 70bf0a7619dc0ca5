//! Attacks of a reviewer who read the API and the format, and not the code.

use std::sync::{Arc, Mutex, Weak};

use async_trait::async_trait;
use bartizan_core::{SecretArray, SecretBytes, UnixTime};
use bartizan_crypto::Lifecycle;
use bartizan_envelope::{
    Attempt, Cell, Change, Context, Error, ErrorKind, KeyContext, KeyStore, KeyWrapper, Keyring, LocalMaster,
    MemoryKeyStore, Record, Scope, Type, Value,
};
use bartizan_testkit::{ManualClock, RepeatingEntropy, SeededEntropy};

use crate::support::{BUCKET, Service, patient, ring, wait};

fn scope() -> Scope<'static> {
    Scope::new("north", "fields").unwrap()
}

fn local() -> LocalMaster {
    LocalMaster::new(ring(), &SecretArray::new([0x4d; 32]), Arc::new(SeededEntropy::new(8))).unwrap()
}

/// Key management that takes its time: while it unwraps, an operator revokes the key and purges the cache.
#[derive(Debug)]
struct Slow {
    local: LocalMaster,
    store: Arc<MemoryKeyStore>,
    meanwhile: Mutex<Option<Purge>>,
}

/// The keyring, and how it is purged.
type Purge = (Weak<Keyring>, fn(&Keyring));

#[async_trait]
impl KeyWrapper for Slow {
    fn describe(&self) -> String {
        "slow".to_owned()
    }

    async fn wrap(&self, context: &KeyContext<'_>, payload: &SecretArray<64>) -> Result<Vec<u8>, Error> {
        self.local.wrap(context, payload).await
    }

    async fn unwrap(&self, context: &KeyContext<'_>, wrapped: &[u8]) -> Result<SecretBytes, Error> {
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some((keyring, purge)) = meanwhile {
            let old = self.store.get("north", "fields", context.id()).await?.unwrap();
            let mut revoked = old.clone();
            revoked.state = Lifecycle::Revoked;
            assert_eq!(self.store.update(&[(old, revoked)]).await?, Change::Made);
            purge(&keyring.upgrade().unwrap());
        }
        self.local.unwrap(context, wrapped).await
    }
}

#[test]
fn a_load_under_way_does_not_bring_a_revoked_key_back_after_the_purge() {
    for purge in [Keyring::purge as fn(&Keyring), |keyring| keyring.purge_tenant("north")] {
        for by_id in [true, false] {
            let store = Arc::new(MemoryKeyStore::new());
            let slow =
                Arc::new(Slow { local: local(), store: Arc::clone(&store), meanwhile: Mutex::default() });
            let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_000)));
            let entropy = Arc::new(SeededEntropy::new(1));
            let keyring = Arc::new(Keyring::new(ring(), slow.clone(), store, clock, entropy).unwrap());
            let id = wait(keyring.active(&scope())).unwrap().id();
            keyring.purge();

            *slow.meanwhile.lock().unwrap() = Some((Arc::downgrade(&keyring), purge));
            let _ = match by_id {
                true => wait(keyring.key(&scope(), id)),
                false => wait(keyring.active(&scope())),
            };
            assert!(matches!(keyring.try_key(&scope(), id).unwrap(), Attempt::NeedsKey(_)), "by id: {by_id}");
            assert!(matches!(keyring.try_active(&scope()), Attempt::NeedsKey(_)), "by id: {by_id}");
            assert_eq!(wait(keyring.key(&scope(), id)).unwrap_err().kind(), ErrorKind::KeyRevoked);
        }
    }
}

#[test]
fn a_key_that_is_not_active_opens_and_seals_nothing() {
    let later = UnixTime::from_secs(1_700_009_000);
    for state in [Lifecycle::Retiring { until: later }, Lifecycle::Pending { active_from: later }] {
        let store = Arc::new(MemoryKeyStore::new());
        let service = Service::on(ring(), Arc::clone(&store), Arc::new(SeededEntropy::new(1)));
        let row = patient("p-1");
        let bytes = service.seal(&row, "ssn", Value::Text("078-05-1120"));
        let id = service.key("north").id();
        let old = wait(store.get("north", "fields", id)).unwrap().unwrap();
        let mut new = old.clone();
        new.state = state;
        assert_eq!(wait(store.update(&[(old, new)])).unwrap(), Change::Made);
        service.keyring.purge();

        let key = wait(service.keyring.key(&scope(), id)).unwrap();
        assert!(service.open(&row, "ssn", Type::Text, &bytes).is_ok());
        let refused = service.keyring.sealer().write(&key, &row).map(drop).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NoActiveKey, "{state:?}");
    }
}

#[test]
fn with_all_randomness_repeating_no_key_and_nonce_ever_seal_two_things() {
    // Two processes from one snapshot: process keys, pools and scope key are the same.
    let store = Arc::new(MemoryKeyStore::new());
    let twin = || Service::on(ring(), Arc::clone(&store), Arc::new(RepeatingEntropy::of([5])));
    let (one, two) = (twin(), twin());
    let mut seen = std::collections::HashMap::new();
    let texts = ["", "a", "ab", "a\0", "078-05-1120", "078-05-1121"];
    for service in [&one, &two] {
        let key = service.key("north");
        for row in ["p-1", "p-2"] {
            let context = patient(row);
            for (first, second) in texts.iter().flat_map(|one| texts.map(|two| (*one, two))) {
                for version in 1..3 {
                    let mut beside = Record::new(version);
                    beside.clear("owner", Type::Text, Some(Value::Text(first))).unwrap();
                    let mut write = service.keyring.sealer().write(&key, &context).unwrap();
                    write.field("ssn", Type::Text, Some(Value::Text(first)), BUCKET).unwrap();
                    write.field("phone", Type::Text, Some(Value::Text(second)), BUCKET).unwrap();
                    let cells = write.seal_record(&beside).unwrap();
                    let all = cells.iter().map(|(_, cell)| cell).chain(cells.record_seal());
                    for cell in all {
                        let parsed = Cell::parse(cell).unwrap();
                        let place = (parsed.key_id(), parsed.salt(), parsed.ordinal(), row);
                        let sealed = seen.entry(place).or_insert_with(|| cell.to_vec());
                        assert_eq!(*sealed, cell, "one key and nonce for two texts");
                    }
                }
            }
        }
    }
    assert_eq!(seen.len(), 2 * 36 * 2 * 3);
}

#[test]
fn contexts_that_join_alike_are_different_places() {
    let service = Service::new();
    let places = [("north", "ab", "c"), ("north", "a", "bc"), ("north", "abc", "\0"), ("north", "ab", "c\0")];
    for (at, (tenant, table, row)) in places.iter().enumerate() {
        let context = Context::new(tenant, table, Value::Text(row)).unwrap();
        let bytes = service.seal(&context, "f", Value::Text("x"));
        for (other_at, (tenant, table, row)) in places.iter().enumerate() {
            let other = Context::new(tenant, table, Value::Text(row)).unwrap();
            let opened = service.open(&other, "f", Type::Text, &bytes);
            assert_eq!(opened.is_ok(), at == other_at);
        }
        // Names that look alike are not folded.
        for field in ["F", "f\0", "ｆ", "f "] {
            let error = service.open(&context, field, Type::Text, &bytes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Integrity);
        }
        for row in [Value::Bytes(row.as_bytes()), Value::Json(row)] {
            let typed = Context::new(tenant, table, row).unwrap();
            let error = service.open(&typed, "f", Type::Text, &bytes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Integrity, "a row id of another type");
        }
    }
}
