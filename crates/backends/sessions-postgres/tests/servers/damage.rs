//! What somebody who can write the tables puts into them.

use std::fmt::Debug;

use bartizan_core::Fault;
use bartizan_sessions::conformance::plain::{NOW, api_key, begin, rotate, selector};
use bartizan_sessions::{
    ApiKeyStore, Begun, Error, ErrorKind, Note, Outbox, Position, RevocationStore, SessionStore,
};

use crate::support::Place;

fn is_damage<T: Debug>(answer: Result<T, Error>, what: &str) {
    let error = answer.expect_err(what);
    assert_eq!((error.kind(), error.fault()), (ErrorKind::Integrity, Fault::Integrity), "{what}");
}

/// The checks of the schema are in the way of most damage; without them it is found when the row is read.
fn without_checks(place: &Place, table: &str) {
    place.run(&format!(
        "DO $$ DECLARE c record; BEGIN
             FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = '{{s}}.{table}'::regclass AND contype = 'c'
             LOOP EXECUTE format('ALTER TABLE {{s}}.{table} DROP CONSTRAINT %I', c.conname); END LOOP; END $$"
    ));
}

#[test]
fn a_session_that_cannot_be_read_is_damage_and_no_unknown_one() {
    let place = Place::new();
    let store = place.store();
    without_checks(&place, "sessions");
    for set in [
        "kind = 'bearer'",
        "current = '\\x00'",
        "previous = '\\x00'",
        "nonce = '\\x00'",
        "binding = '\\x00'",
        "generation = -1",
        "facts = '{'",
        "facts = repeat('x', 20000)",
        "key = '\\x01'",
        "ended_why = 'tired'",
    ] {
        place.run("DELETE FROM {s}.sessions");
        place.runtime.block_on(store.begin(&begin(1))).unwrap();
        place.run(&format!("UPDATE {{s}}.sessions SET {set}"));
        is_damage(place.runtime.block_on(store.find(&selector(1))), set);
        is_damage(place.runtime.block_on(store.list("north", "ada", NOW)), set);
        // A secret that is not the current one: it is not taken for a reuse either.
        is_damage(place.runtime.block_on(store.rotate(&rotate(1, 5))), set);
        assert_eq!(place.count("SELECT count(*) FROM {s}.sessions WHERE ended_at IS NOT NULL"), 0, "{set}");
    }
}

#[test]
fn the_schema_refuses_most_damage() {
    let place = Place::new();
    place.runtime.block_on(place.store().begin(&begin(1))).unwrap();
    for set in ["kind = 'bearer'", "current = '\\x00'", "generation = -1", "ended_at = 1"] {
        let statement = format!("UPDATE {}.sessions SET {set}", place.schema);
        let run = sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&place.admin);
        assert!(place.runtime.block_on(run).is_err(), "{set}");
    }
}

#[test]
fn the_feed_the_outbox_and_keys_are_read_with_the_same_eyes() {
    let place = Place::new();
    let store = place.store();
    let note = Note::default();
    place.runtime.block_on(store.revoke_token("jti", "north", "ada", NOW, NOW, &note)).unwrap();
    place.runtime.block_on(store.add_key(&api_key(1), 9, &note)).unwrap();
    for table in ["revocations", "outbox", "api_keys"] {
        without_checks(&place, table);
    }
    place.run("UPDATE {s}.revocations SET scope = 'nobody'");
    is_damage(place.runtime.block_on(store.revocations(Position(0), 9)), "a scope");
    place.run("UPDATE {s}.outbox SET happening = 'nothing'");
    is_damage(place.runtime.block_on(store.pending(9)), "a happening");
    place.run("UPDATE {s}.api_keys SET scopes = 'read'");
    is_damage(place.runtime.block_on(store.find_key(&selector(1))), "scopes");
}

#[test]
fn a_row_without_which_nothing_is_known_is_missed() {
    let place = Place::new();
    let store = place.store();
    place.runtime.block_on(store.begin(&begin(1))).unwrap();
    place.run("DELETE FROM {s}.feed");
    let note = Note::default();
    is_damage(place.runtime.block_on(store.revoke_token("jti", "", "", NOW, NOW, &note)), "the feed's row");
    is_damage(place.runtime.block_on(store.rotate(&rotate(1, 5))), "the feed's row");
    assert_eq!(
        place.count("SELECT count(*) FROM {s}.sessions WHERE ended_at IS NULL"),
        1,
        "undone as a whole"
    );
    place.run("DELETE FROM {s}.end_of_all");
    is_damage(place.runtime.block_on(store.epochs("north", "ada")), "everybody's epoch");
    is_damage(place.runtime.block_on(store.begin(&begin(2))), "everybody's epoch");
}

#[test]
fn a_text_that_postgres_cannot_hold_is_refused_at_the_door() {
    let place = Place::new();
    let store = place.store();
    let mut beginning = begin(1);
    beginning.row.session.subject = "a\0da".into();
    let error = place.runtime.block_on(store.begin(&beginning)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limits);
    assert!(place.runtime.block_on(store.list("a\0", "b", NOW)).is_err());
    beginning.row.session.subject = "x'; DROP TABLE sessions; --".into();
    assert!(matches!(place.runtime.block_on(store.begin(&beginning)).unwrap(), Begun::As(_)));
}
