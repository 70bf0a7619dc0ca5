//! Migrations, and what is demanded of a server before a store is opened.

use std::sync::Arc;

use bartizan_core::Fault;
use bartizan_sessions::conformance::plain::{begin, rotate, selector};
use bartizan_sessions::{Begun, ErrorKind as SeamKind, SessionStore, Store};
use bartizan_sessions_postgres::{Config, ErrorKind, PostgresSessionStore};
use sqlx::AssertSqlSafe;

use crate::support::{Place, options, pool};

#[test]
fn tables_have_to_be_there() {
    let place = Place::bare();
    let open = || place.runtime.block_on(PostgresSessionStore::open(place.admin.clone(), &place.config()));
    let error = open().unwrap_err();
    assert_eq!((error.kind(), error.fault()), (ErrorKind::Schema, Fault::Caller));
    place.runtime.block_on(PostgresSessionStore::migrate(&place.admin, &place.config())).unwrap();
    assert!(open().is_ok());
}

#[test]
fn of_programs_that_migrate_at_once_one_does_it() {
    let place = Place::bare();
    let results = place.runtime.block_on(async {
        let mut tasks = Vec::new();
        for _ in 0..8 {
            let (pool, config) = (pool(options(), 1).await, place.config());
            tasks.push(tokio::spawn(async move { PostgresSessionStore::migrate(&pool, &config).await }));
        }
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.unwrap());
        }
        results
    });
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(place.count("SELECT count(*) FROM {s}.migrations"), 1);
}

#[test]
fn tables_of_another_version_are_refused_and_left_alone() {
    for alter in [
        "UPDATE {s}.migrations SET statements = statements || ' '",
        "INSERT INTO {s}.migrations (version, name, statements) VALUES (2, 'later', '')",
        "UPDATE {s}.migrations SET version = 2",
        "DELETE FROM {s}.migrations",
    ] {
        let place = Place::new();
        place.run(alter);
        let opened = place.runtime.block_on(PostgresSessionStore::open(place.admin.clone(), &place.config()));
        assert_eq!(opened.unwrap_err().kind(), ErrorKind::Schema, "{alter}");
        let migrated = place.runtime.block_on(PostgresSessionStore::migrate(&place.admin, &place.config()));
        // The last one: the tables are there and nobody knows of which version.
        let expected = if alter.starts_with("DELETE") { ErrorKind::Refused } else { ErrorKind::Schema };
        assert_eq!(migrated.unwrap_err().kind(), expected, "{alter}");
        assert_eq!(place.count("SELECT count(*) FROM {s}.end_of_all"), 1);
    }
}

#[test]
fn a_role_that_may_not_make_tables_runs_the_store() {
    let place = Place::new();
    let role = format!("runs_{}", place.schema);
    place.run(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'pw';
         GRANT USAGE ON SCHEMA {{s}} TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {{s}} TO {role};
         REVOKE INSERT, UPDATE, DELETE ON {{s}}.migrations FROM {role}"
    ));
    let (store, refused) = place.runtime.block_on(async {
        let pool = pool(options().username(&role).password("pw"), 2).await;
        let elsewhere = place.config().in_schema(&format!("{}_2", place.schema)).unwrap();
        let refused = PostgresSessionStore::migrate(&pool, &elsewhere).await.unwrap_err();
        (PostgresSessionStore::open(pool, &place.config()).await.unwrap(), refused)
    });
    assert_eq!((refused.kind(), refused.sqlstate()), (ErrorKind::Refused, Some("42501")));
    place.runtime.block_on(async {
        assert!(matches!(store.begin(&begin(1)).await.unwrap(), Begun::As(_)));
        assert!(store.find(&selector(1)).await.unwrap().is_some());
        store.rotate(&rotate(1, 0)).await.unwrap();
        store.purge(bartizan_core::UnixTime::EPOCH, std::time::Duration::ZERO).await.unwrap();
    });
    // What it may no longer do is its operator's to mend, and no outage that ends by itself.
    place.run(&format!("REVOKE ALL ON ALL TABLES IN SCHEMA {{s}} FROM {role}"));
    let error = place.runtime.block_on(store.find(&selector(1))).unwrap_err();
    assert_eq!((error.kind(), error.is_transient()), (SeamKind::Config, false));
    place.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

/// `synchronous_commit` may be off for the role; no write of the store is.
#[test]
fn a_write_waits_for_the_disk_whatever_the_role_says() {
    let place = Place::new();
    place.run(
        "CREATE TABLE {s}.seen_settings (setting text);
         CREATE FUNCTION {s}.note_setting() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN INSERT INTO {s}.seen_settings VALUES (current_setting(''synchronous_commit'')); RETURN NULL; END';
         CREATE CONSTRAINT TRIGGER noted AFTER INSERT OR UPDATE ON {s}.sessions
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {s}.note_setting()",
    );
    let store = place.runtime.block_on(async {
        let lax = options().options([("synchronous_commit", "off")]);
        PostgresSessionStore::open(pool(lax, 1).await, &place.config()).await.unwrap()
    });
    place.runtime.block_on(async {
        let now = bartizan_sessions::conformance::plain::NOW;
        store.begin(&begin(1)).await.unwrap();
        store.rotate(&rotate(1, 0)).await.unwrap();
        store
            .seen(begin(1).row.session.id.key, now, now.saturating_add(std::time::Duration::from_secs(1)))
            .await
            .unwrap();
        // A secret that is not the current one: several statements.
        store.rotate(&rotate(1, 7)).await.unwrap();
    });
    // The trigger runs at the commit, and so tells what the commit obeyed.
    assert_eq!(place.count("SELECT count(*) FROM {s}.seen_settings WHERE setting = 'on'"), 4);
    assert_eq!(place.count("SELECT count(*) FROM {s}.seen_settings"), 4);
    let left = place.runtime.block_on(async {
        let setting = "SHOW synchronous_commit";
        sqlx::query_scalar::<_, String>(AssertSqlSafe(setting)).fetch_one(&place.admin).await.unwrap()
    });
    assert_eq!(left, "on", "the server's own setting is what these tests believe");
}

#[test]
fn nothing_of_the_pool_is_shown() {
    let place = Place::new();
    let store = place.store();
    let shown = format!("{store:?} {:?}", Arc::new(place.config()));
    assert!(shown.contains(&place.schema), "{shown}");
    assert!(!shown.contains("pw") && !shown.contains("127.0.0.1"), "{shown}");
}

/// Durability is read from the server; only this configuration does without.
#[test]
fn a_server_that_syncs_is_taken() {
    let place = Place::new();
    assert_eq!(place.count("SELECT count(*) FROM pg_settings WHERE name = 'fsync' AND setting = 'on'"), 1);
    for config in [place.config(), place.config().danger_without_fsync()] {
        assert!(place.runtime.block_on(PostgresSessionStore::open(place.admin.clone(), &config)).is_ok());
    }
    assert_eq!(Config::default().in_schema("x; --").unwrap_err().kind(), ErrorKind::Config);
}
