//! What somebody who can write the file puts into it.

use std::path::{Path, PathBuf};

use bartizan_core::Fault;
use bartizan_sessions::conformance::plain::{NOW, api_key, begin, rotate, selector};
use bartizan_sessions::{
    ApiKeyStore, Asked, End, Ended, Error, ErrorKind, NewOnce, Note, OnceStore, Outbox, Position,
    RevocationStore, SessionKey, SessionStore, conformance::block_on,
};

use crate::store;

/// A file with one of everything, and then a statement with the schema's checks off.
fn altered(statement: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let store = store(&path);
    block_on(store.begin(&begin(1))).unwrap();
    block_on(store.begin(&begin(2))).unwrap();
    let note = Note::default();
    let end = End::One { tenant: "north", subject: "ada", key: SessionKey::from_bytes([2; 16]) };
    assert_eq!(block_on(store.end(end, Ended::LoggedOut, NOW, NOW, &note)).unwrap(), 1);
    block_on(store.add_key(&api_key(1), 9, &note)).unwrap();
    let once = NewOnce {
        digest: selector(3),
        purpose: "reset",
        tenant: "north",
        subject: "ada",
        data: "",
        expires: NOW.saturating_add(std::time::Duration::from_secs(60)),
        now: NOW,
        note: &note,
    };
    block_on(store.put_once(&once)).unwrap();
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.execute_batch(&format!("PRAGMA ignore_check_constraints = ON; {statement}")).unwrap();
    (folder, path)
}

fn is_damage<T: std::fmt::Debug>(answer: Result<T, Error>, what: &str) {
    let error = answer.expect_err(what);
    assert_eq!((error.kind(), error.fault()), (ErrorKind::Integrity, Fault::Integrity), "{what}");
}

/// The only session that lives, altered in each column.
const SESSION: [&str; 14] = [
    "kind = 'bearer'",
    "kind = CAST(x'ff' AS TEXT)",
    "current = x'00'",
    "previous = zeroblob(33)",
    "nonce = zeroblob(100000000)",
    "binding = x''",
    "generation = -1",
    "global_epoch = -1",
    "facts = '{'",
    "facts = '{\"admin\":true}'",
    "facts = CAST(zeroblob(100000000) AS TEXT)",
    "key = x'01'",
    "ended_why = 'tired'",
    "ended_at = 1, ended_why = 'tired'",
];

#[test]
fn a_session_that_cannot_be_read_is_damage_and_no_unknown_one() {
    for set in SESSION {
        let (_folder, path) = altered(&format!("UPDATE bartizan_sessions SET {set} WHERE number = 1"));
        let store = store(&path);
        is_damage(block_on(store.find(&selector(1))), set);
        is_damage(block_on(store.rotate(&rotate(1, 0))), set);
        let asked = Asked {
            jti: None,
            session: Some(begin(1).row.session.id),
            tenant: "",
            subject: "",
            issued_at: NOW,
        };
        // By the key, which is another one in one of the cases: an unknown session is a revoked one.
        match block_on(store.is_revoked(&asked)) {
            Ok(is_revoked) => assert!(is_revoked && set.starts_with("key"), "{set}"),
            answer => is_damage(answer, set),
        }
        assert_eq!(
            generation(&path),
            if set.starts_with("generation") { -1 } else { 0 },
            "nothing is written"
        );
    }
}

fn generation(path: &Path) -> i64 {
    let sql = rusqlite::Connection::open(path).unwrap();
    sql.query_row("SELECT generation FROM bartizan_sessions WHERE number = 1", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_list_with_a_row_that_cannot_be_read_says_so() {
    let (_folder, path) = altered("UPDATE bartizan_sessions SET facts = '' WHERE number = 1");
    is_damage(block_on(store(&path).list("north", "ada", NOW)), "list");
}

#[test]
fn the_feed_the_outbox_keys_and_one_time_tokens_are_read_with_the_same_eyes() {
    let (_folder, path) = altered("UPDATE bartizan_session_revocations SET session = x'01'");
    is_damage(block_on(store(&path).revocations(Position(0), 9)), "a revocation");
    let (_folder, path) = altered("UPDATE bartizan_session_revocations SET scope = 'nobody'");
    is_damage(block_on(store(&path).revocations(Position(0), 9)), "a scope");
    for set in ["happening = 'nothing'", "session = 'x'", "note = CAST(x'ff' AS TEXT)"] {
        let (_folder, path) = altered(&format!("UPDATE bartizan_session_outbox SET {set} WHERE number = 2"));
        is_damage(block_on(store(&path).pending(9)), set);
    }
    for set in ["scopes = 'read'", "secret = x''", "name = CAST(x'ff' AS TEXT)"] {
        let (_folder, path) = altered(&format!("UPDATE bartizan_api_keys SET {set}"));
        is_damage(block_on(store(&path).find_key(&selector(1))), set);
        is_damage(block_on(store(&path).keys("north", "ada")), set);
    }
    let (_folder, path) = altered("UPDATE bartizan_once SET data = CAST(x'ff' AS TEXT)");
    is_damage(block_on(store(&path).take_once(&selector(3), "reset", NOW, &Note::default())), "a token");
}

#[test]
fn a_row_without_which_nothing_is_known_is_missed() {
    let (_folder, path) = altered("DELETE FROM bartizan_session_end_of_all");
    is_damage(block_on(store(&path).find(&selector(1))), "find");
    is_damage(block_on(store(&path).epochs("north", "ada")), "epochs");
    is_damage(block_on(store(&path).rotate(&rotate(1, 0))), "rotate");
    is_damage(block_on(store(&path).begin(&begin(4))), "begin");
    let end = End::Everything;
    is_damage(block_on(store(&path).end(end, Ended::Revoked, NOW, NOW, &Note::default())), "end");
}

#[test]
fn a_table_that_is_gone_is_damage_and_no_bug_of_ours() {
    let (_folder, path) = altered("DROP TABLE bartizan_session_outbox");
    is_damage(block_on(store(&path).rotate(&rotate(1, 0))), "rotate");
    assert_eq!(generation(&path), 0, "the rotation is undone with its entry");
}
