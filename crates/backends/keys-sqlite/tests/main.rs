//! The store against real files: the suite of the seam, and what is special about SQLite.
#![cfg(test)]

#[path = "main/review.rs"]
mod review;

use std::{path::Path, sync::Arc};

use bartizan_core::{Fault, SecretArray, UnixTime};
use bartizan_crypto::Lifecycle;
use bartizan_crypto_ring::Ring;
use bartizan_envelope::{
    Change, ErrorKind, KeyId, KeyRow, KeyStore, Keyring, LocalMaster, Scope,
    conformance::{block_on, store::Stores},
};
use bartizan_keys_sqlite::SqliteKeyStore;
use bartizan_sqlite_writer::{Database, Place};
use bartizan_testkit::{ManualClock, SeededEntropy};

fn store(path: &Path) -> SqliteKeyStore {
    let database = Database::open(Place::File(path.to_owned())).unwrap();
    block_on(SqliteKeyStore::open(Arc::new(database))).unwrap()
}

/// Two drivers, each with its own connections to one file: two processes.
fn stores() -> Stores {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.db");
    Stores::new(Arc::new(store(&path)), Arc::new(store(&path)), folder)
}

fn in_memory() -> Stores {
    let database = Database::open(Place::Memory).unwrap();
    let store = Arc::new(block_on(SqliteKeyStore::open(Arc::new(database))).unwrap());
    Stores::new(Arc::clone(&store) as Arc<dyn KeyStore>, store, ())
}

mod in_a_file {
    bartizan_envelope::key_store_conformance!(super::stores);
}

mod in_memory_of_the_process {
    bartizan_envelope::key_store_conformance!(super::in_memory);
}

fn keyring(path: &Path, master: u8) -> Keyring {
    let (ring, entropy) = (Arc::new(Ring::new()), Arc::new(SeededEntropy::new(u64::from(master))));
    let wrapper = LocalMaster::new(ring.clone(), &SecretArray::new([master; 32]), entropy.clone()).unwrap();
    let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_700_000_000)));
    Keyring::new(ring, Arc::new(wrapper), Arc::new(store(path)), clock, entropy).unwrap()
}

#[test]
fn keys_outlive_the_program_and_lie_in_the_file_wrapped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.db");
    let scope = Scope::new("north", "fields").unwrap();
    let id = block_on(keyring(&path, 0x4d).active(&scope)).unwrap().id();
    // Another process, with another process key.
    let again = block_on(keyring(&path, 0x4d).key(&scope, id)).unwrap();
    assert_eq!((again.id(), again.version()), (id, 1));
    let error = block_on(keyring(&path, 0x4e).key(&scope, id)).unwrap_err();
    assert_eq!((error.kind(), error.fault()), (ErrorKind::WrappingKey, Fault::Caller));

    let row = block_on(store(&path).get("north", "fields", id)).unwrap().unwrap();
    assert_eq!((row.wrapped.len(), &row.wrapped[..2]), (146, &[0xFD, 1][..]));
}

#[test]
fn a_row_that_somebody_altered_is_an_integrity_error_or_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.db");
    let scope = Scope::new("north", "fields").unwrap();
    let other = Scope::new("south", "fields").unwrap();
    let (id, theirs) = {
        let keyring = keyring(&path, 0x4d);
        (block_on(keyring.active(&scope)).unwrap().id(), block_on(keyring.active(&other)).unwrap().id())
    };
    let sql = rusqlite::Connection::open(&path).unwrap();
    let wrapped = |id: KeyId| -> Vec<u8> {
        sql.query_row("SELECT wrapped FROM scope_keys WHERE id = ?1", [id.as_bytes()], |row| row.get(0))
            .unwrap()
    };
    let swap = wrapped(theirs);
    sql.execute("UPDATE scope_keys SET wrapped = ?1 WHERE id = ?2", rusqlite::params![swap, id.as_bytes()])
        .unwrap();
    let error = block_on(keyring(&path, 0x4d).key(&scope, id)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity, "another tenant's wrapped key");
    sql.execute("UPDATE scope_keys SET version = 7 WHERE id = ?1", [theirs.as_bytes()]).unwrap();
    let error = block_on(keyring(&path, 0x4d).key(&other, theirs)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity, "another version");
    let error = block_on(keyring(&path, 0x4d).key(&scope, theirs)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyNotFound, "another tenant's id");
}

#[test]
fn asvs_1_2_4_names_are_parameters_and_never_sql() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder.path().join("keys.db"));
    let hostile = "x'; DROP TABLE scope_keys; --";
    let scope = Scope::new(hostile, hostile).unwrap().of_subject(hostile).unwrap();
    let id = KeyId::from_bytes([1; 8]);
    let row = KeyRow::new(id, scope, 1, Lifecycle::Active, vec![1], UnixTime::EPOCH).unwrap();
    assert_eq!(block_on(store.insert_if_absent(&row)).unwrap(), Change::Made);
    assert_eq!(block_on(store.active(&scope)).unwrap(), Some(row.clone()));
    assert_eq!(block_on(store.list(Some(hostile), None, 10)).unwrap(), [row]);
}

#[test]
fn an_erased_wrap_is_overwritten_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.db");
    let canary: Vec<u8> = b"canary-wrap-".repeat(20);
    let scope = Scope::new("north", "fields").unwrap();
    let id = KeyId::from_bytes([1; 8]);
    let row = KeyRow::new(id, scope, 1, Lifecycle::Active, canary, UnixTime::EPOCH).unwrap();
    let mut gone = row.clone();
    (gone.state, gone.wrapped) = (Lifecycle::Revoked, Vec::new());
    {
        let store = store(&path);
        assert_eq!(block_on(store.insert_if_absent(&row)).unwrap(), Change::Made);
        assert_eq!(block_on(store.update(&[(row, gone)])).unwrap(), Change::Made);
    }
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(12).any(|window| window == b"canary-wrap-"));
}
