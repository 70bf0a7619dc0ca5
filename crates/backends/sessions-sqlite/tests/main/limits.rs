//! What is refused at the door, and what is kept to the letter.

use std::sync::Arc;

use bartizan_sessions::conformance::plain::{NOW, api_key, begin, rotate, selector};
use bartizan_sessions::{
    ApiKeyStore, Begun, ErrorKind, Note, OnceStore, Outbox, Rotation, SessionStore, Store,
    conformance::block_on,
};
use bartizan_sessions_sqlite::SqliteSessionStore;
use bartizan_sqlite_writer::{self as sqlite, Database, Place};

use crate::store;

#[test]
fn what_is_too_long_to_be_read_back_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder.path().join("sessions.db"));
    let most = Note("n".repeat(16 * 1024).into());
    let more = Note("n".repeat(16 * 1024 + 1).into());
    let mut beginning = begin(1);
    beginning.note = more.clone();
    assert_eq!(block_on(store.begin(&beginning)).unwrap_err().kind(), ErrorKind::Limits);
    beginning.note = most.clone();
    assert!(matches!(block_on(store.begin(&beginning)).unwrap(), Begun::As(_)));
    let mut ask = rotate(1, 0);
    ask.note = more.clone();
    assert_eq!(block_on(store.rotate(&ask)).unwrap_err().kind(), ErrorKind::Limits);
    assert_eq!(block_on(store.add_key(&api_key(1), 9, &more)).unwrap_err().kind(), ErrorKind::Limits);
    assert_eq!(block_on(store.advance("north", "ada", &more.0, 1)).unwrap_err().kind(), ErrorKind::Limits);
    let entries = block_on(store.pending(9)).unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].note, most);
}

#[test]
fn asvs_1_2_4_names_are_parameters_and_never_sql() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder.path().join("sessions.db"));
    let hostile = "x'; DROP TABLE bartizan_sessions; --";
    let mut beginning = begin(1);
    (beginning.row.session.tenant, beginning.row.session.subject) = (hostile.into(), hostile.into());
    block_on(store.begin(&beginning)).unwrap();
    assert_eq!(block_on(store.list(hostile, hostile, NOW)).unwrap().len(), 1);
    assert!(block_on(store.list("x", "x", NOW)).unwrap().is_empty());
    assert!(matches!(block_on(store.rotate(&rotate(1, 0))).unwrap(), Rotation::Rotated(_)));
}

#[test]
fn a_clock_beyond_all_days_is_a_number_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder.path().join("sessions.db"));
    let mut beginning = begin(1);
    let end = bartizan_core::UnixTime::from_nanos(i64::MAX);
    (beginning.row.session.idle_expires, beginning.row.session.expires) = (end, end);
    block_on(store.begin(&beginning)).unwrap();
    assert!(block_on(store.find(&selector(1))).unwrap().is_some());
    assert_eq!(
        block_on(store.purge(bartizan_core::UnixTime::from_nanos(i64::MIN), std::time::Duration::MAX)),
        Ok(0)
    );
}

#[test]
fn tables_of_another_version_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    drop(store(&path));
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.execute("UPDATE bartizan_migrations SET statements = statements || ' '", []).unwrap();
    let database = Arc::new(Database::open(Place::File(path)).unwrap());
    let error = block_on(SqliteSessionStore::open(database)).unwrap_err();
    assert_eq!(error.kind(), sqlite::ErrorKind::Schema);
}

#[test]
fn a_purge_goes_through_many_rows_in_pieces() {
    let store = {
        let database = Database::open(Place::Memory).unwrap();
        block_on(SqliteSessionStore::open(Arc::new(database))).unwrap()
    };
    let note = Note::default();
    for number in 0..1_500_u32 {
        let jti = number.to_string();
        let revoke =
            bartizan_sessions::RevocationStore::revoke_token(&store, &jti, "north", "ada", NOW, NOW, &note);
        block_on(revoke).unwrap();
    }
    let later = NOW.saturating_add(std::time::Duration::from_secs(1));
    let purge = || block_on(store.purge(later, std::time::Duration::ZERO)).unwrap();
    assert_eq!((purge(), purge(), purge()), (1_000, 500, 0));
}
