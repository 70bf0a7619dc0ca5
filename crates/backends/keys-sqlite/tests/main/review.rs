//! What somebody who can write the file puts into it.

use bartizan_core::{Fault, UnixTime};
use bartizan_crypto::Lifecycle;
use bartizan_envelope::{Change, ErrorKind, KeyId, KeyRow, KeyStore, Scope, conformance::block_on};

use crate::{keyring, store};

/// A row that was written well, and then altered with the schema's checks off.
fn altered(set: &str) -> Result<Option<KeyRow>, bartizan_envelope::Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.db");
    let scope = Scope::new("north", "fields").unwrap();
    let store = store(&path);
    let id = KeyId::from_bytes([1; 8]);
    let row = KeyRow::new(id, scope, 1, Lifecycle::Active, vec![1; 146], UnixTime::EPOCH).unwrap();
    assert_eq!(block_on(store.insert_if_absent(&row)).unwrap(), Change::Made);
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.execute_batch(&format!("PRAGMA ignore_check_constraints = ON; UPDATE scope_keys SET {set}")).unwrap();
    block_on(store.get("north", "fields", id))
}

#[test]
fn a_row_that_cannot_be_read_is_damage_and_no_bug_of_ours() {
    for set in [
        "subject = CAST(x'ff' AS TEXT)",
        "state = CAST(x'ff' AS TEXT)",
        "state = 'destroyed'",
        "state = 'retiring'",
        "state_at = 1",
        "version = -1",
        "version = 4294967296",
        "wrapped = zeroblob(16385)",
        "wrapped = zeroblob(100000000)",
        "subject = CAST(zeroblob(256) AS TEXT)",
    ] {
        let error = altered(set).unwrap_err();
        assert_eq!((error.kind(), error.fault()), (ErrorKind::Integrity, Fault::Integrity), "{set}");
    }
    assert!(altered("created = -1").unwrap().is_some());
    assert_eq!(altered("tenant = 'North'").unwrap(), None, "names are not folded");
    assert_eq!(altered("purpose = CAST(x'ff' AS TEXT)").unwrap(), None);
}

/// The README says so: the state is a column like any other.
#[test]
fn only_erasing_the_wrapped_key_makes_a_revocation_last_against_writers_of_the_file() {
    for erased in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.db");
        let scope = Scope::new("north", "fields").unwrap();
        let id = block_on(keyring(&path, 0x4d).active(&scope)).unwrap().id();
        let store = store(&path);
        let old = block_on(store.get("north", "fields", id)).unwrap().unwrap();
        let mut revoked = old.clone();
        revoked.state = Lifecycle::Revoked;
        if erased {
            revoked.wrapped = Vec::new();
        }
        assert_eq!(block_on(store.update(&[(old, revoked)])).unwrap(), Change::Made);
        assert_eq!(block_on(keyring(&path, 0x4d).key(&scope, id)).unwrap_err().kind(), ErrorKind::KeyRevoked);
        let sql = rusqlite::Connection::open(&path).unwrap();
        sql.execute("UPDATE scope_keys SET state = 'active'", []).unwrap();
        let opened = block_on(keyring(&path, 0x4d).key(&scope, id)).map(drop).map_err(|error| error.kind());
        assert_eq!(opened, if erased { Err(ErrorKind::Integrity) } else { Ok(()) });
    }
}

#[test]
fn a_listing_with_a_row_that_cannot_be_read_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.db");
    let store = store(&path);
    let scope = Scope::new("north", "fields").unwrap();
    for (id, version) in [(1, 1), (2, 2)] {
        let state = Lifecycle::Pending { active_from: UnixTime::EPOCH };
        let row = KeyRow::new(KeyId::from_bytes([id; 8]), scope, version, state, vec![1], UnixTime::EPOCH);
        assert_eq!(block_on(store.insert_if_absent(&row.unwrap())).unwrap(), Change::Made);
    }
    let sql = rusqlite::Connection::open(&path).unwrap();
    for set in ["tenant = CAST(x'ff' AS TEXT)", "id = x'02'"] {
        sql.execute_batch(&format!(
            "PRAGMA ignore_check_constraints = ON; UPDATE scope_keys SET {set} WHERE version = 2"
        ))
        .unwrap();
        let error = block_on(store.list(None, None, 10)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity, "{set}");
    }
}
